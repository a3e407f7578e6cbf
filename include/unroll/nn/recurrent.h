// What the recurrent layers Rnn, Lstm and Gru have in common.
#pragma once

#include <cstdint>
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

/// Regularisers inside of a recurrent layer, each with its probability p in [0, 1]; all are off at
/// first. Except for zoneout and layer normalisation they act in training mode alone.
struct RecurrentRegularisation {
  /// One mask for all steps: x keep_x / (1 - p) before W_ih, h_{t-1} keep_h / (1 - p) before W_hh.
  /// GRU's z h_{t-1} keeps all of h. Gal, Ghahramani, "A theoretically grounded application of
  /// dropout in recurrent neural networks", 2016.
  struct Variational {
    double input = 0, state = 0;
  } variational_dropout = {};
  /// The candidate (LSTM's g, GRU's n) times keep / (1 - p), a mask for each step. Not for Rnn.
  /// Semeniuta, Severyn, Barth, "Recurrent dropout without memory loss", 2016.
  double recurrent_dropout = 0;
  /// h_t = z h_{t-1} + (1 - z) h~_t with z = 1 with probability p, and c likewise (Lstm only); in
  /// evaluation mode p stands for z. h~_t is computed from the c before its zoneout. Krueger et
  /// al., "Zoneout: regularizing RNNs by randomly preserving hidden activations", 2017.
  struct Zoneout {
    double h = 0, c = 0;
  } zoneout = {};
  /// W_hh keep / (1 - p), one mask for all steps. Merity, Keskar, Socher, "Regularizing and
  /// optimizing LSTM language models", 2017.
  double weight_drop = 0;
  /// LN(W_ih x) + b_ih and LN(W_hh h) + b_hh, each over all gates together, and for Lstm
  /// h = o tanh(LN(c)); eps 1e-5. Ba, Kiros, Hinton, "Layer normalization", 2016.
  bool layer_norm = false;
};

/// Options that every recurrent layer has.
struct RecurrentOptions {
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;  ///< input and output are (N, T, ...) instead of (T, N, ...)
  /// Probability, of the input of each layer but the first; training only. One layer has none, and
  /// this does nothing there (PyTorch warns); variational_dropout is inside of each layer.
  double dropout = 0;
  bool bidirectional = false;  ///< D = 2: a second pass from the last step to the first
  RecurrentRegularisation regularisation = {};
  /// Parameters h_0 (L D, 1, H), and c_0 for Lstm, zeros at first, stand in for a state that a call
  /// isn't given.
  bool learn_initial_state = false;
  DType dtype = DType::f32;
  Precision precision = Precision::full;
  Generator* generator = nullptr;  ///< initial values and masks; default_generator() where null
};

/// Masks of one layer in one direction for a call, instead of random ones: of the layer's type,
/// without factors. Time comes first with batch_first too, and N is 1 for an input without a batch.
/// What is undefined is drawn.
struct RecurrentMasks {
  Tensor keep_input = {};  ///< (T, N, D H): 1 stays; RecurrentOptions::dropout's, so not for the
                           ///< first layer, and given with the forward direction alone
  Tensor keep_x = {};  ///< (N, I): 1 stays; I is D H above the first layer. Both directions have
                       ///< one input: given with the forward direction alone
  Tensor keep_h = {};  ///< (N, H): 1 stays
  Tensor keep_candidate = {};       ///< (T, N, H): 1 stays
  Tensor zone_h = {}, zone_c = {};  ///< (T, N, H): 1 is the old value
  Tensor keep_weight_hh = {};       ///< (G H, H): 1 stays
};

/// What a call may be given beside its input and state.
struct RecurrentCall {
  /// The steps of each sequence, 1 to T, in any order; all T where empty, as for an input without a
  /// batch. Outputs past a sequence's
  /// end are 0, its final state is that of its last step, and a reverse direction starts there.
  std::span<const std::int64_t> lengths = {};
  /// Of layer k, direction d at k D + d; all random where empty. Ignored in evaluation mode.
  std::span<const RecurrentMasks> masks = {};
};

/// A recurrent layer: L layers in D directions. Use Rnn, Lstm or Gru.
///
/// Parameters of layer k: weight_ih_lk (G H, I, or D H above the first), weight_hh_lk (G H, H),
/// bias_ih_lk (G H), bias_hh_lk (G H), all uniform in +-1/sqrt(H) at first and drawn in this order,
/// as in PyTorch; with layer_norm also layer_norm_{ih,hh}_lk.{weight,bias} (G H), ones and zeros.
/// The reverse direction's names end in "_reverse".
///
/// The masks of the k-th training forward are a pure function of masks().seed(), k and the shapes.
/// A checkpoint keeps masks().step(), and set_step() goes on from there.
class UNROLL_API Recurrent : public Module {
 public:
  /// One layer in one direction, as layer[WeightRole::weight_hh]; undefined is what the options
  /// leave out.
  using Layer = PerRole<Tensor>;
  /// Of layer k, direction d at k D + d.
  const std::vector<Layer>& layers() const { return layers_; }

  MaskSource& masks() { return masks_; }

  /// What a model's description says of the layer, called `name`, that reads its last state; empty
  /// for a cell of a single step and for a CustomRecurrent, which no description has.
  std::optional<spec::RecurrentSpec> description(const std::string& name) const;
  bool batch_first() const { return options_.batch_first; }

 protected:
  struct Kind {
    std::int64_t input, hidden;
    spec::Cell cell = spec::Cell::rnn;
    Nonlinearity nonlinearity = Nonlinearity::relu;  // of a cell that has one
    std::int64_t projection = 0;                     // 0: h has `hidden` elements
    double forget_bias = 0;                          // of a cell with a forget gate
    bool single_step = false;                        // parameters' names without "_l0"
    const CustomCell* custom = nullptr;              // instead of `cell`
  };
  struct Result {
    Tensor output, h_n, c_n;
  };

  Recurrent(const Kind& kind, const RecurrentOptions& options);
  Recurrent(const Child& place, const Kind& kind, const RecurrentOptions& options);

  /// Of a batch, or of one sequence (T, I) with states (L D, H) without one.
  Result run(const Tensor& input, const Tensor& h_0, const Tensor& c_0,
             const RecurrentCall& call) const;
  /// One time step of a cell: input (N, I) and a state of (N, H) each to the next state.
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
  std::string name_;  // in errors
  RecurrentOptions options_;
  std::vector<Layer> layers_;
  Tensor h_0_, c_0_;          // learnt
  mutable MaskSource masks_;  // counts the forwards of a model that stays as it is
};

}  // namespace unroll::nn
