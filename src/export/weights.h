// A model's weights by name, as f32.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "unroll/io/safetensors.h"

namespace unroll::exporter {

class Weights {
 public:
  explicit Weights(std::span<const io::ArrayView> arrays) : arrays_(arrays) {}

  /// f64 rounds to nearest. The weight must be there: spec::differences has said so.
  std::vector<float> operator()(const std::string& name) const;

 private:
  std::span<const io::ArrayView> arrays_;
};

}  // namespace unroll::exporter
