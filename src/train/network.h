// A model in training, built from its description.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "unroll/core/precision.h"
#include "unroll/nn/mask.h"
#include "unroll/nn/module.h"
#include "unroll/nn/recurrent.h"
#include "unroll/nn/state.h"
#include "unroll/spec/model_spec.h"

namespace unroll::train {

/// What the description leaves open, because only training sees it.
struct NetworkOptions {
  DType dtype = DType::f32;
  Precision precision = Precision::full;
  double dropout = 0;      ///< probability, of the input of every layer with weights but the first
  double forget_bias = 0;  ///< of LSTMs, as in nn::LstmOptions
  /// Of recurrent layers; zoneout and layer_norm are the description's and ignored here.
  nn::RecurrentRegularisation regularisation = {};
  /// Factors of the penalties in nn/activation_regularisation.h.
  double ar = 0, tar = 0;
};

/// The layers of a description, one after the other. Its parameters are spec::weights_of().
class Network : public nn::Module {
 public:
  /// Draws initial values from `generator`, layer by layer. Throws what spec::features_of throws.
  Network(const spec::ModelSpec& spec, Generator& generator, const NetworkOptions& options = {});

  /// (N, T, I), (N, I) or (N, C, H, W) to logits (N, C); (N, T, C) where the last readout is
  /// every_step.
  Tensor operator()(const Tensor& x) const;

  /// What the recurrent layers carry from one chunk of a sequence to the next.
  using States = std::vector<nn::State>;
  /// The same for chunk after chunk: goes on from `states`, empty at a sequence's start, and leaves
  /// those after x there, without history: gradients stop at the chunk's start. `penalty` becomes
  /// what the loss is to be raised by; undefined where that is nothing.
  Tensor operator()(const Tensor& x, States& states, Tensor& penalty) const;

  const std::vector<const nn::Recurrent*>& recurrent() const { return recurrent_; }
  /// Where the masks of all its layers come from, in the order of the layers.
  const std::vector<nn::MaskSource*>& masks() const { return masks_; }

 private:
  struct Builder;
  /// What a stage changes beside its numbers; the state is the stage's own.
  struct Pass {
    nn::State& state;
    Tensor& penalty;
  };
  std::vector<std::unique_ptr<nn::Module>> modules_;
  /// Only those with recurrent layers look at the pass.
  std::vector<std::function<Tensor(const Tensor&, const Pass&)>> stages_;
  std::vector<const nn::Recurrent*> recurrent_;
  std::vector<nn::MaskSource*> masks_;
};

}  // namespace unroll::train
