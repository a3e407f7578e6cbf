// A model's weights by name, as f32.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/io/safetensors.h"

namespace unroll::exporter {

class Weights {
 public:
  /// The arrays must outlive this.
  explicit Weights(std::span<const io::ArrayView> arrays);

  /// f64 rounds to nearest. The weight must be there: spec::differences has said so.
  std::vector<float> operator()(const std::string& name) const;

 private:
  std::map<std::string_view, const io::ArrayView*> arrays_;
};

}  // namespace unroll::exporter
