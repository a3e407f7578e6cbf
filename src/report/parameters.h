// A model's parameters in depth: shape, role and size of each.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::report {

/// One tensor of a model, or all of them together.
struct ParameterInfo {
  std::string name, role = {};
  spec::Sizes shape = {};
  std::int64_t count = 0;
  double square = 0;  // the sum of all squares

  double norm() const { return std::sqrt(square); }
};

/// The parameters of the model in its order. The file must have them.
std::vector<ParameterInfo> parameters_of(const spec::ModelSpec& spec, const io::Safetensors& file);

/// The sums over all of them, under the name "total".
ParameterInfo total_of(const std::vector<ParameterInfo>& parameters);

}  // namespace unroll::report
