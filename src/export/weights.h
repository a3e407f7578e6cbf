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

  /// The values of a weight; f64 is rounded to nearest. Callers check with spec::differences that
  /// the weight exists.
  std::vector<float> operator()(const std::string& name) const;

 private:
  std::map<std::string_view, const io::ArrayView*> arrays_;
};

}  // namespace unroll::exporter
