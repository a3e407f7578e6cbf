// Makes weights for a description.
#pragma once

#include <numeric>
#include <vector>

#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::test {

/// Every weight of the model. The elements are 1, 2, 3, ...
class CountedWeights {
 public:
  explicit CountedWeights(const spec::ModelSpec& spec) {
    const auto all = spec::weights_of(spec);
    values_.reserve(all.size());
    for (const auto& [name, shape] : all) {
      std::int64_t count = 1;
      for (const std::int64_t size : shape) count *= size;
      auto& values = values_.emplace_back(static_cast<std::size_t>(count));
      std::iota(values.begin(), values.end(), 1.0f);
      views_.push_back({name, io::ElementType::f32, shape, std::as_bytes(std::span(values))});
    }
  }

  const std::vector<io::ArrayView>& views() const { return views_; }

 private:
  std::vector<std::vector<float>> values_;
  std::vector<io::ArrayView> views_;
};

}  // namespace unroll::test
