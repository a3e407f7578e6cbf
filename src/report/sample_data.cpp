#include "report/sample_data.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "export/base64.h"

namespace unroll::report {
namespace {

using Json = nlohmann::ordered_json;

static_assert(std::endian::native == std::endian::little);  // as in a safetensors file

std::string base64_of_floats(const Tensor& tensor) {
  const Tensor values = tensor.contiguous();
  return exporter::base64(values.values<float>());
}

std::string base64_of_tokens(const Tensor& tensor) {
  const Tensor values = tensor.contiguous();
  return exporter::base64(std::as_bytes(values.values<std::int64_t>()));
}

/// Pixels are whole numbers from 0 to 255.
std::string base64_of_pixels(const Tensor& tensor) {
  const Tensor values = tensor.contiguous();
  std::vector<std::uint8_t> pixels;
  for (const float value : values.values<float>())
    pixels.push_back(static_cast<std::uint8_t>(std::clamp(value, 0.0f, 255.0f)));
  return exporter::base64(std::as_bytes(std::span(pixels)));
}

/// The shape of one sample.
std::vector<std::int64_t> shape_of_one(const Tensor& tensor) {
  std::vector<std::int64_t> shape;
  for (int d = 1; d < tensor.rank(); ++d) shape.push_back(tensor.size(d));
  return shape;
}

/// A number for each sample, or a list for each.
template <class T>
Json lists_of(const Tensor& tensor) {
  const Tensor values = tensor.contiguous();
  const auto all = values.template values<T>();
  if (tensor.rank() == 1) return std::vector<T>(all.begin(), all.end());
  const auto size =
      all.size() / static_cast<std::size_t>(std::max<std::int64_t>(1, tensor.size(0)));
  Json lists = Json::array();
  for (std::size_t at = 0; at + size <= all.size() && size > 0; at += size) {
    const auto one = all.subspan(at, size);
    lists.push_back(std::vector<T>(one.begin(), one.end()));
  }
  return lists;
}

}  // namespace

Json data_of(const run::Samples& samples) {
  const bool tokens = samples.inputs.dtype() == DType::i64;
  return {
      {"count", samples.indices.size()},
      {"indices", samples.indices},
      {"targets", samples.targets.dtype() == DType::i64 ? lists_of<std::int64_t>(samples.targets)
                                                        : lists_of<float>(samples.targets)},
      {"losses", samples.losses},
      {"worst", samples.worst},
      {"lengths", samples.lengths},
      {"shape", shape_of_one(samples.inputs)},
      {"type", samples.pixels ? "u8"
               : tokens       ? "i64"
                              : "f32"},
      {"inputs", samples.pixels ? base64_of_pixels(samples.inputs)
                 : tokens       ? base64_of_tokens(samples.inputs)
                                : base64_of_floats(samples.inputs)},
      {"outputs", base64_of_floats(samples.outputs)},
      {"output_shape", shape_of_one(samples.outputs)}};
}

Json data_of(const std::map<std::string, Tensor>& states) {
  Json all = Json::object();
  for (const auto& [name, tensor] : states)
    all[name] = {{"shape", std::vector(tensor.shape().begin(), tensor.shape().end())},
                 {"data", base64_of_floats(tensor)}};
  return all;
}

Json data_of(const train::ConfusionMatrix& matrix) {
  Json rows = Json::array();
  for (std::int64_t truth = 0; truth < matrix.classes; ++truth) {
    Json row = Json::array();
    for (std::int64_t c = 0; c < matrix.classes; ++c) row.push_back(matrix.at(truth, c));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace unroll::report
