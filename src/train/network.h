// A model in training, built from its description.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
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
  /// Probability, of what every layer with a matrix or kernels of weights reads, but for the first.
  double dropout = 0;
  double forget_bias = 0;  ///< of LSTMs, as in nn::LstmOptions
  /// Of recurrent layers; zoneout and layer_norm are the description's and ignored here.
  nn::RecurrentRegularisation regularisation = {};
  /// Factors of the penalties in nn/activation_regularisation.h.
  double ar = 0, tar = 0;
};

/// Any description as a module: its layers, one after the other. Its parameters are
/// spec::weights_of().
class Network : public nn::Module {
 public:
  /// Draws initial values from `generator`, layer by layer. Throws what spec::features_of throws.
  Network(const spec::ModelSpec& spec, Generator& generator, const NetworkOptions& options = {});

  /// (N, T, I), (N, I) or (N, C, H, W) to outputs (N, C); (N, T, C) where the last readout is
  /// every_step. Tokens go in as i64 (N, T).
  ///
  /// `lengths`, of sequences alone: the steps of each, 1 to T; all T where empty. Steps past a
  /// sequence's end change no readout, state or gradient of a recurrent layer; outputs (N, T, C) of
  /// such steps mean nothing. Throws ShapeError and ValueError for lengths and tokens that don't
  /// fit.
  Tensor operator()(const Tensor& x, std::span<const std::int64_t> lengths = {}) const;

  /// What the recurrent layers carry from one chunk of a sequence to the next.
  using States = std::vector<nn::State>;
  /// The same for chunk after chunk: goes on from `states`, empty at a sequence's start, and leaves
  /// those after x there, without history: gradients stop at the chunk's start. `penalty` becomes
  /// what the loss is to be raised by; undefined where that is nothing.
  Tensor operator()(const Tensor& x, States& states, Tensor& penalty,
                    std::span<const std::int64_t> lengths = {}) const;

  const std::vector<const nn::Recurrent*>& recurrent() const { return recurrent_; }
  /// Where the masks of all its layers come from, in the order of the layers.
  const std::vector<nn::MaskSource*>& masks() const { return masks_; }

 private:
  struct Builder;
  /// What a stage sees and changes beside its numbers.
  struct Pass {
    nn::State& state;  // the stage's own
    Tensor& penalty;
    std::span<const std::int64_t> lengths;
    std::span<Tensor> kept;  // what residual connections add later
  };
  std::vector<std::unique_ptr<nn::Module>> modules_;
  std::vector<std::function<Tensor(const Tensor&, const Pass&)>> stages_;
  bool reads_sequences_;
  std::size_t kept_ = 0;  // places in Pass::kept
  std::vector<const nn::Recurrent*> recurrent_;
  std::vector<nn::MaskSource*> masks_;
};

}  // namespace unroll::train
