// A model that has every layer a sequence, a step or a vector can go through.
#pragma once

#include <vector>

#include "unroll/spec/model_spec.h"

namespace unroll::test {

inline constexpr std::int64_t kTokens = 7;

/// From tokens, 0 to 6, to 3 outputs; of each step with every_step.
inline spec::ModelSpec everything_spec(spec::Readout readout = spec::Readout::mean_last) {
  const spec::RecurrentSpec lower{.name = "lower",
                                  .cell = spec::Cell::lstm,
                                  .input_size = 5,
                                  .hidden_size = 5,
                                  .readout = spec::Readout::every_step},
      upper{.name = "upper",
            .cell = spec::Cell::gru,
            .input_size = 6,
            .hidden_size = 4,
            .readout = readout};
  const std::int64_t features = upper.features();
  spec::ModelSpec spec;
  spec.input = spec::TokenInput{.tokens = kTokens};
  spec.layers = {
      spec::EmbeddingSpec{"embedding", kTokens, 5},
      spec::LayerNormSpec{.name = "norm", .features = 5, .eps = 1e-3},
      lower,
      spec::ResidualSpec{2},
      spec::ScaleSpec{{0.1, -0.2, 0.3, 0, 0.5}, {2}},
      spec::LinearSpec{"between", 5, 6},
      spec::ActivationSpec{spec::Activation::tanh},
      spec::Conv1dSpec{.name = "conv",
                       .in_channels = 6,
                       .out_channels = 6,
                       .windows = {.kernel = 3, .dilation = 2, .causal = true},
                       .groups = 2},
      spec::ActivationSpec{spec::Activation::symlog},
      upper,
      spec::LayerNormSpec{.name = "no_bias", .features = features, .bias = false},
      spec::LinearSpec{"head", features, features},
      spec::ActivationSpec{spec::Activation::sigmoid},
      spec::ResidualSpec{2},
      spec::LayerNormSpec{.name = "bare", .features = features, .elementwise_affine = false},
      spec::LinearSpec{"fc", features, 3}};
  return spec;
}

/// So many tokens, each of them there after a while.
template <class T>
std::vector<T> some_tokens(std::size_t count) {
  std::vector<T> tokens;
  for (std::size_t i = 0; i < count; ++i) tokens.push_back(static_cast<T>(i * i * 3 % kTokens));
  return tokens;
}

}  // namespace unroll::test
