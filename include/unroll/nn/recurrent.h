// The common base of the recurrent layers Rnn, Lstm and Gru.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/core/api.h"
#include "unroll/core/cell.h"
#include "unroll/core/precision.h"
#include "unroll/core/random.h"
#include "unroll/core/weight_role.h"
#include "unroll/nn/mask.h"
#include "unroll/nn/module.h"
#include "unroll/nn/state.h"
#include "unroll/spec/layers.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

class PackedWeights;

/// Regularisers inside a recurrent layer, each with a probability p in [0, 1]. All are off by
/// default. They act in training mode only, except zoneout and layer normalisation.
struct RecurrentRegularisation {
  /// One mask for all steps: x keep_x / (1 - p) before W_ih, h_{t-1} keep_h / (1 - p) before W_hh.
  /// GRU's z h_{t-1} is not masked. Gal, Ghahramani, "A theoretically grounded application of
  /// dropout in recurrent neural networks", 2016.
  struct Variational {
    double input = 0, state = 0;
  } variational_dropout = {};
  /// The candidate (LSTM's g, GRU's n) times keep / (1 - p), with a mask for each step. Not for
  /// Rnn. Semeniuta, Severyn, Barth, "Recurrent dropout without memory loss", 2016.
  double recurrent_dropout = 0;
  /// h_t = z h_{t-1} + (1 - z) h~_t, where z is 1 with probability p, else 0; c likewise (Lstm
  /// only). Evaluation mode takes z = p. h~_t is computed from c before its zoneout. Krueger et
  /// al., "Zoneout: regularizing RNNs by randomly preserving hidden activations", 2017.
  struct Zoneout {
    double h = 0, c = 0;
  } zoneout = {};
  /// W_hh keep / (1 - p), with one mask for all steps. Merity, Keskar, Socher, "Regularizing and
  /// optimizing LSTM language models", 2017.
  double weight_drop = 0;
  /// LN(W_ih x) + b_ih and LN(W_hh h) + b_hh, each over all gates together; for Lstm also h = o
  /// tanh(LN(c)). eps is 1e-5. Ba, Kiros, Hinton, "Layer normalization", 2016.
  bool layer_norm = false;
};

/// Options that every recurrent layer has.
struct RecurrentOptions {
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;  ///< input and output are (N, T, ...) instead of (T, N, ...)
  /// Probability of dropout between layers, in training mode only. It does nothing for a single
  /// layer (PyTorch warns). variational_dropout acts inside each layer.
  double dropout = 0;
  bool bidirectional = false;  ///< D = 2: a second direction reads the sequence backwards
  RecurrentRegularisation regularisation = {};
  /// Adds parameters h_0 (L D, 1, H), and c_0 for Lstm, initially zeros. A call without a state
  /// starts from them.
  bool learn_initial_state = false;
  DType dtype = DType::f32;
  Precision precision = Precision::full;
  Generator* generator = nullptr;  ///< initial values and masks; default_generator() if null
};

/// Masks of one layer in one direction for a call, instead of random ones. They have the layer's
/// type and no factor 1 / (1 - p). Time comes first, also with batch_first. N is 1 for an input
/// without a batch. Undefined masks are drawn at random.
struct RecurrentMasks {
  /// (T, N, D H), 1 keeps: the mask of RecurrentOptions::dropout. Not for the first layer, and for
  /// the forward direction only.
  Tensor keep_input = {};
  /// (N, I), 1 keeps; I is D H above the first layer. For the forward direction only, because both
  /// directions share their input.
  Tensor keep_x = {};
  Tensor keep_h = {};               ///< (N, H), 1 keeps
  Tensor keep_candidate = {};       ///< (T, N, H), 1 keeps
  Tensor zone_h = {}, zone_c = {};  ///< (T, N, H), 1 takes the old value
  Tensor keep_weight_hh = {};       ///< (G H, H), 1 keeps
};

/// Optional arguments of a call.
struct RecurrentCall {
  /// Steps of each sequence, 1 to T, in any order. Empty: all T. An input without a batch takes
  /// none. Outputs past a sequence's end are 0. The final state is the state at the sequence's last
  /// step, and the reverse direction starts there.
  std::span<const std::int64_t> lengths = {};
  /// Masks of layer k, direction d at k D + d. Empty: all are random. Ignored in evaluation mode.
  std::span<const RecurrentMasks> masks = {};
};

/// A recurrent layer: L layers in D directions. Use Rnn, Lstm or Gru.
///
/// Parameters of layer k: weight_ih_lk (G H, I, or D H above the first), weight_hh_lk (G H, H),
/// bias_ih_lk (G H), bias_hh_lk (G H), all initially uniform in +-1/sqrt(H) and drawn in this
/// order, as in PyTorch. With layer_norm also layer_norm_{ih,hh}_lk.{weight,bias} (G H), initially
/// ones and zeros. Names of the reverse direction end in "_reverse".
///
/// The masks of the k-th forward pass in training are a pure function of masks().seed(), k and the
/// shapes. A checkpoint saves masks().step(), and set_step() restores it.
class UNROLL_API Recurrent : public Module {
 public:
  /// The weights of one layer in one direction: layer[WeightRole::weight_hh]. Weights that the
  /// options leave out are undefined.
  using Layer = PerRole<Tensor>;
  /// The weights of layer k, direction d at k D + d.
  const std::vector<Layer>& layers() const { return layers_; }

  MaskSource& masks() { return masks_; }

  /// The entry for this layer, called `name`, in a model's description, with Readout::last. Empty
  /// for a single-step cell and for a CustomRecurrent, which no description can hold.
  std::optional<spec::RecurrentSpec> description(const std::string& name) const;
  bool batch_first() const { return options_.batch_first; }

 protected:
  struct Kind {
    std::int64_t input, hidden;
    spec::Cell cell = spec::Cell::rnn;
    Nonlinearity nonlinearity = Nonlinearity::relu;  // for a cell that has one
    std::int64_t projection = 0;                     // 0: h has `hidden` elements
    double forget_bias = 0;                          // for a cell with a forget gate
    bool single_step = false;                        // names of parameters without "_l0"
    const CustomCell* custom = nullptr;              // instead of `cell`
  };
  struct Result {
    Tensor output, h_n, c_n;
  };

  Recurrent(const Kind& kind, const RecurrentOptions& options);
  Recurrent(const Child& place, const Kind& kind, const RecurrentOptions& options);

  /// Runs a batch, or one sequence (T, I) with states (L D, H).
  Result run(const Tensor& input, const Tensor& h_0, const Tensor& c_0,
             const RecurrentCall& call) const;
  /// One time step of a cell: from input (N, I) and states (N, H) to the next states.
  State step(const Tensor& input, const State& state) const;

 private:
  std::string_view name() const { return name_; }
  CellTraits traits() const;
  spec::RecurrentSpec described() const;
  void initialise();
  Layer make_layer(std::int64_t l, std::int64_t d, Generator& generator);
  void raise_forget_bias() const;
  void check_options() const;
  Result run_batch(const Tensor& input, const Tensor& h_0, const Tensor& c_0,
                   const RecurrentCall& call) const;
  void check_input(const Tensor& input, std::span<const std::int64_t> lengths) const;
  void check_state(std::string_view state, const Tensor& given, const Shape& expected) const;
  /// The state that a call starts from: the given one, the learnt one, or undefined for zeros.
  Tensor initial_state(std::string_view state, const Tensor& given, const Tensor& learnt,
                       std::int64_t batch, std::int64_t size) const;

  std::int64_t state_size() const { return kind_.projection ? kind_.projection : kind_.hidden; }
  std::int64_t directions() const { return options_.bidirectional ? 2 : 1; }

  Kind kind_;
  std::string name_;  // for error messages
  RecurrentOptions options_;
  std::vector<Layer> layers_;
  Tensor h_0_, c_0_;          // learnt
  mutable MaskSource masks_;  // mutable: a forward pass counts, and changes nothing else
  std::shared_ptr<PackedWeights> packed_;
};

}  // namespace unroll::nn
