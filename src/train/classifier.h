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
struct ClassifierOptions {
  DType dtype = DType::f32;
  Precision precision = Precision::full;
  double dropout = 0;      ///< probability, of the input of every layer with weights but the first
  double forget_bias = 0;  ///< of LSTMs, as in nn::LstmOptions
};

/// The layers of a description, one after the other. Its parameters are spec::weights_of().
class Classifier : public nn::Module {
 public:
  /// Draws initial values from `generator`, layer by layer. Throws what spec::features_of throws.
  Classifier(const spec::ModelSpec& spec, Generator& generator,
             const ClassifierOptions& options = {});

  /// (N, T, I), (N, I) or (N, C, H, W) to logits (N, C); (N, T, C) where the last readout is
  /// every_step.
  Tensor operator()(const Tensor& x) const;

  /// What the recurrent layers carry from one chunk of a sequence to the next.
  using States = std::vector<nn::State>;
  /// The same for chunk after chunk: goes on from `states`, empty at a sequence's start, and leaves
  /// those after x there, without history: gradients stop at the chunk's start.
  Tensor operator()(const Tensor& x, States& states) const;

  const std::vector<const nn::Recurrent*>& recurrent() const { return recurrent_; }
  /// Where the masks of all its layers come from, in the order of the layers.
  const std::vector<nn::MaskSource*>& masks() const { return masks_; }

 private:
  struct Builder;
  std::vector<std::unique_ptr<nn::Module>> modules_;
  /// Only those with recurrent layers look at the state, which is the layer's own.
  std::vector<std::function<Tensor(const Tensor&, nn::State&)>> stages_;
  std::vector<const nn::Recurrent*> recurrent_;
  std::vector<nn::MaskSource*> masks_;
};

}  // namespace unroll::train
