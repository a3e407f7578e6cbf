// A model in training, built from its description.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "train/observer.h"
#include "unroll/core/precision.h"
#include "unroll/nn/mask.h"
#include "unroll/nn/module.h"
#include "unroll/nn/recurrent.h"
#include "unroll/nn/state.h"
#include "unroll/spec/model_spec.h"

namespace unroll::train {

/// Options that only matter in training, so the description does not have them.
struct NetworkOptions {
  DType dtype = DType::f32;
  Precision precision = Precision::full;
  /// Probability of dropout on the input of every layer with weights (recurrent, linear,
  /// convolution), except the first.
  double dropout = 0;
  double forget_bias = 0;  ///< for LSTMs, as in nn::LstmOptions
  /// For recurrent layers. zoneout and layer_norm are ignored here; the description has them.
  nn::RecurrentRegularisation regularisation = {};
  /// Factors of the penalties in nn/activation_regularisation.h.
  double ar = 0, tar = 0;
};

/// A module made from any description: its layers, one after the other. Its parameters are those
/// that spec::weights_of() lists.
class Network : public nn::Module {
 public:
  /// Draws initial values from `generator`, layer by layer. Throws the errors of
  /// spec::features_of().
  Network(const spec::ModelSpec& spec, Generator& generator, const NetworkOptions& options = {});

  /// Maps (N, T, I), (N, I) or (N, C, H, W) to outputs (N, C), or (N, T, C) if the last readout is
  /// every_step. Tokens are i64, (N, T).
  ///
  /// `lengths` is for sequences only: the steps of each, 1 to T; empty: all have T. Steps past a
  /// sequence's end change no readout, state or gradient of a recurrent layer or convolution. The
  /// outputs (N, T, C) of such steps mean nothing. Throws ShapeError and ValueError for lengths and
  /// tokens that do not fit.
  Tensor operator()(const Tensor& x, std::span<const std::int64_t> lengths = {}) const;

  /// The states that recurrent layers carry from one chunk of a sequence to the next.
  using States = std::vector<nn::State>;
  /// The same for one chunk after the other. Continues from `states`, which are empty at a
  /// sequence's start, and replaces them by the states after x. They have no history, so gradients
  /// stop at the chunk's start. Appends the terms to add to the loss to `penalties`.
  Tensor operator()(const Tensor& x, States& states, std::vector<Tensor>& penalties,
                    std::span<const std::int64_t> lengths = {}) const;

  /// The outputs as above, while an observer hears what flows through the layers. Recurrent layers
  /// in one direction that are not stacked make single steps, so this is slower. The observer hears
  /// only the output of others. States after a sequence's end mean nothing.
  Tensor operator()(const Tensor& x, Observer& observer,
                    std::span<const std::int64_t> lengths = {}) const;

  const std::vector<const nn::Recurrent*>& recurrent() const { return recurrent_; }
  /// The sources of all layers' masks, in the order of the layers.
  const std::vector<nn::MaskSource*>& masks() const { return masks_; }

 private:
  struct Builder;
  /// The arguments of a call beside inputs and states.
  struct Call {
    std::vector<Tensor>& penalties;
    std::span<const std::int64_t> lengths = {};
    Observer* observer = nullptr;
  };
  /// The arguments of a stage beside its input.
  struct Pass {
    const Call& call;
    nn::State& state;                 // the stage's own
    std::span<Tensor> kept;           // inputs of layers that residual connections add later
    std::span<std::int64_t> lengths;  // of the sequences that the stage reads; empty: all are whole
  };
  Tensor through(const Tensor& x, States& states, const Call& call) const;

  std::vector<std::unique_ptr<nn::Module>> modules_;
  std::vector<std::function<Tensor(const Tensor&, const Pass&)>> stages_;
  bool reads_sequences_;
  std::size_t kept_ = 0;  // size of Pass::kept
  std::vector<const nn::Recurrent*> recurrent_;
  std::vector<nn::MaskSource*> masks_;
};

}  // namespace unroll::train
