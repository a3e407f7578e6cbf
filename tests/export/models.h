// The models that exports are tested with, and weights for them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "support/everything.h"
#include "unit/infer/models.h"
#include "unroll/core/random.h"
#include "unroll/io/safetensors.h"

namespace unroll::test {

/// Every weight of a model, with random numbers.
class RandomWeights {
 public:
  explicit RandomWeights(const spec::ModelSpec& spec) {
    Generator generator(11);
    for (const auto& [name, sizes] : spec::weights_of(spec)) {
      std::size_t count = 1;
      for (const std::int64_t size : sizes) count *= static_cast<std::size_t>(size);
      auto& values = values_.emplace_back(count);
      generator.uniform(values, -0.5, 0.5);
      views_.push_back({name, io::ElementType::f32, sizes, std::as_bytes(std::span(values))});
    }
  }

  std::span<const io::ArrayView> views() const { return views_; }

 private:
  std::vector<std::vector<float>> values_;
  std::vector<io::ArrayView> views_;
};

/// Models that run step by step, of 5 inputs or of tokens, and 3 outputs; one with names that C++
/// would not take.
inline std::vector<infer::Named> streaming_models() {
  std::vector<infer::Named> all = infer::recurrent_models();
  std::erase_if(all, [](const infer::Named& named) { return infer::is_bidirectional(named.spec); });
  spec::ModelSpec odd;
  odd.input = spec::SeriesInput{.features = 5};
  odd.layers = {
      spec::LinearSpec{"a.b", 5, 4}, spec::LinearSpec{"a_b", 4, 4},
      spec::RecurrentSpec{
          .name = "7*/\\", .input_size = 4, .hidden_size = 3, .readout = spec::Readout::every_step},
      spec::ActivationSpec{spec::Activation::sigmoid}};
  all.push_back({"OddNames", odd});
  odd.layers.pop_back();
  all.push_back({"NoReadout", odd});
  // Residual connections from the input, from a buffer that others reuse, and after the readout.
  spec::ModelSpec sums;
  sums.input = spec::SeriesInput{.features = 5};
  const auto recurrent = [](const char* name, std::int64_t size, spec::Readout readout) {
    return spec::RecurrentSpec{.name = name,
                               .cell = spec::Cell::gru,
                               .input_size = size,
                               .hidden_size = size,
                               .readout = readout};
  };
  sums.layers = {spec::ScaleSpec{{0.1, -0.2, 0.3, 0.4, 0.5}, {2}},
                 spec::LinearSpec{"one", 5, 5},
                 spec::ResidualSpec{2},
                 spec::ActivationSpec{spec::Activation::tanh},
                 spec::LinearSpec{"two", 5, 5},
                 recurrent("three", 5, spec::Readout::every_step),
                 spec::ResidualSpec{1},
                 spec::ResidualSpec{4},
                 recurrent("four", 5, spec::Readout::mean),
                 spec::LinearSpec{"five", 5, 3},
                 spec::LinearSpec{"six", 3, 3},
                 spec::ActivationSpec{spec::Activation::relu},
                 spec::ResidualSpec{2}};
  all.push_back({"Residual", sums});
  all.push_back({"Everything", everything_spec()});
  all.push_back({"EveryStep", everything_spec(spec::Readout::every_step)});
  // No layer with a state, so the step returns at its start if nobody wants outputs.
  spec::ModelSpec plain;
  plain.input = spec::TokenInput{.tokens = kTokens};
  plain.layers = {spec::EmbeddingSpec{"only", kTokens, 3}};
  all.push_back({"Embedding", plain});
  return all;
}

}  // namespace unroll::test
