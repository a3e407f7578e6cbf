#include "report/parameters.h"

#include "report/roles.h"

namespace unroll::report {

std::vector<ParameterInfo> parameters_of(const spec::ModelSpec& spec, const io::Safetensors& file) {
  const auto roles = roles_of(spec);
  std::vector<ParameterInfo> all;
  for (const auto& [name, sizes] : spec::weights_of(spec)) {
    const io::ArrayView* array = file.find(name);
    const auto values = io::floats_of<double>(*array);
    ParameterInfo one = {name, roles.at(name), array->shape,
                         static_cast<std::int64_t>(values.size())};
    for (const double v : values) one.square += v * v;
    all.push_back(std::move(one));
  }
  return all;
}

ParameterInfo total_of(const std::vector<ParameterInfo>& parameters) {
  ParameterInfo total{.name = "total"};
  for (const ParameterInfo& one : parameters) {
    total.count += one.count;
    total.square += one.square;
  }
  return total;
}

}  // namespace unroll::report
