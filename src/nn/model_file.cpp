#include "nn/model_file.h"

#include <map>

#include "core/numerics.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

std::map<std::string, std::string> metadata_of(const spec::ModelSpec& spec) {
  return {
      {spec::ModelSpec::metadata_key, spec::to_json(spec)},
      {"numerics_revision", std::to_string(numerics::revision)},
  };
}

}  // namespace

std::vector<io::ArrayView> views_of(const Parameters& parameters) {
  std::vector<io::ArrayView> views;
  for (const auto& p : parameters) {
    const auto add = [&](io::ElementType type, auto values) {
      views.push_back(
          {p.name, type, {p.value.shape().begin(), p.value.shape().end()}, std::as_bytes(values)});
    };
    switch (p.value.dtype()) {
      case DType::f32:
        add(io::ElementType::f32, raw_values<float>(p.value));
        break;
      case DType::f64:
        add(io::ElementType::f64, raw_values<double>(p.value));
        break;
      case DType::i64:
        add(io::ElementType::i64, raw_values<std::int64_t>(p.value));
        break;
    }
  }
  return views;
}

std::vector<std::byte> model_bytes(const spec::ModelSpec& spec, const Parameters& parameters) {
  return io::safetensors_bytes(views_of(parameters), metadata_of(spec));
}

void save_model(const std::string& path, const spec::ModelSpec& spec,
                const Parameters& parameters) {
  io::write_safetensors(path, views_of(parameters), metadata_of(spec));
}

}  // namespace unroll::nn
