#include "train/model_file.h"

#include <map>

#include "core/numerics.h"
#include "unroll/core/error.h"

namespace unroll::train {

std::vector<io::ArrayView> views_of(const Parameters& parameters) {
  std::vector<io::ArrayView> views;
  for (const auto& p : parameters) {
    const auto add = [&](io::ElementType type, auto values) {
      views.push_back(
          {p.name, type, {p.value.shape().begin(), p.value.shape().end()}, std::as_bytes(values)});
    };
    if (p.value.dtype() == DType::f32)
      add(io::ElementType::f32, p.value.values<float>());
    else
      add(io::ElementType::f64, p.value.values<double>());
  }
  return views;
}

void save_model(const std::string& path, const spec::ModelSpec& spec,
                const Parameters& parameters) {
  const std::map<std::string, std::string> metadata = {
      {spec::ModelSpec::metadata_key, spec::to_json(spec)},
      {"numerics_revision", std::to_string(numerics::revision)},
  };
  io::write_safetensors(path, views_of(parameters), metadata);
}

}  // namespace unroll::train
