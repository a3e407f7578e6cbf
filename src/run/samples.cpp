#include "run/samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>

#include "core/json.h"
#include "unroll/core/error.h"
#include "unroll/io/safetensors.h"

namespace unroll::run {
namespace {

io::ArrayView view_of(const std::string& name, const Tensor& tensor) {
  const bool whole = tensor.dtype() == DType::i64;
  const std::span<const std::byte> data =
      whole ? std::as_bytes(tensor.values<std::int64_t>()) : std::as_bytes(tensor.values<float>());
  std::vector<std::int64_t> shape;
  for (int d = 0; d < tensor.rank(); ++d) shape.push_back(tensor.size(d));
  return {name, whole ? io::ElementType::i64 : io::ElementType::f32, shape, data};
}

io::ArrayView view_of(const std::string& name, const std::vector<std::int64_t>& values) {
  return {name, io::ElementType::i64, {std::ssize(values)}, std::as_bytes(std::span(values))};
}

constexpr const char* kStates = "states.";

/// Reads the arrays of a file and checks their types and shapes.
class ArrayReader {
 public:
  ArrayReader(const io::Safetensors& file, const std::string& name) : file_(file), name_(name) {}

  [[noreturn]] void refuse(const std::string& why) const {
    throw FormatError("samples", fmt::format("{}: {}; train the run again", name_, why));
  }

  const io::ArrayView* find(const std::string& name) const { return file_.find(name); }

  const io::ArrayView& array(const std::string& name, int rank) const {
    const io::ArrayView* found = file_.find(name);
    if (!found) refuse(fmt::format("there is no array \"{}\"", name));
    if (static_cast<int>(found->shape.size()) != rank && rank > 0)
      refuse(fmt::format("\"{}\" has {} dimensions, expected {}", name, found->shape.size(), rank));
    return *found;
  }

  std::vector<std::int64_t> integers(const std::string& name, int rank) const {
    const io::ArrayView& from = array(name, rank);
    if (from.type != io::ElementType::i64) refuse(fmt::format("\"{}\" is not of I64", name));
    std::vector<std::int64_t> values(from.data.size() / sizeof(std::int64_t));
    std::ranges::copy(from.data, std::as_writable_bytes(std::span(values)).begin());
    return values;
  }

  /// Of f32, i64, or u8 as f32.
  Tensor tensor(const std::string& name) const {
    const io::ArrayView& from = array(name, 0);
    if (from.shape.empty() || from.shape.size() > Shape::max_rank)
      refuse(fmt::format("\"{}\" has {} dimensions", name, from.shape.size()));
    const Shape shape(from.shape);
    if (from.type == io::ElementType::i64) {
      const Tensor to = Tensor::empty(shape, DType::i64);
      std::ranges::copy(from.data, std::as_writable_bytes(to.values<std::int64_t>()).begin());
      return to;
    }
    const Tensor to = Tensor::empty(shape, DType::f32);
    if (from.type == io::ElementType::u8)
      std::ranges::transform(from.data, to.data<float>(),
                             [](std::byte b) { return static_cast<float>(b); });
    else if (io::is_floating(from.type))
      io::to_floats(from, to.values<float>());
    else
      refuse(fmt::format("\"{}\" is of {}", name, io::name_of(from.type)));
    return to;
  }

  std::vector<std::string> names(const char* key) const {
    const auto text = file_.metadata().find(key);
    if (text == file_.metadata().end()) return {};
    const auto list =
        parse_json(text->second, [this](std::string_view why) { refuse(std::string(why)); });
    std::vector<std::string> names;
    if (!list.is_array()) refuse(fmt::format("\"{}\" is not a list", key));
    for (const auto& name : list) {
      if (!name.is_string()) refuse(fmt::format("\"{}\" has something that is not text", key));
      names.push_back(name.get<std::string>());
    }
    return names;
  }

 private:
  const io::Safetensors& file_;
  const std::string& name_;
};

}  // namespace

std::vector<std::byte> to_bytes(const Samples& s) {
  std::vector<std::uint8_t> pixels;
  std::vector<float> losses(s.losses.begin(), s.losses.end());
  std::vector<io::ArrayView> arrays = {
      view_of("indices", s.indices),
      {"losses", io::ElementType::f32, {std::ssize(losses)}, std::as_bytes(std::span(losses))},
      view_of("worst", s.worst)};
  if (s.inputs.defined()) {
    arrays.push_back(view_of("inputs", s.inputs));
    if (s.pixels) {
      for (const float pixel : s.inputs.values<float>())
        pixels.push_back(static_cast<std::uint8_t>(pixel));
      arrays.back().type = io::ElementType::u8;
      arrays.back().data = std::as_bytes(std::span(pixels));
    }
    arrays.push_back(view_of("targets", s.targets));
    arrays.push_back(view_of("outputs", s.outputs));
  }
  if (!s.lengths.empty()) arrays.push_back(view_of("lengths", s.lengths));
  if (s.confusion) {
    arrays.push_back(view_of("confusion", s.confusion->counts));
    arrays.back().shape = {s.confusion->classes, s.confusion->classes};
  }
  for (const auto& [name, states] : s.states) arrays.push_back(view_of(kStates + name, states));
  return io::safetensors_bytes(
      arrays, {{"format", "unroll samples 1"}, {"classes", nlohmann::json(s.classes).dump()}});
}

Samples samples_from(std::vector<std::byte> bytes, const std::string& name) {
  const io::Safetensors file = io::Safetensors::parse(std::move(bytes), name);
  const ArrayReader reader(file, name);
  Samples s;
  s.classes = reader.names("classes");
  s.indices = reader.integers("indices", 1);
  const std::int64_t count = std::ssize(s.indices);
  s.worst = reader.integers("worst", 1);
  for (const std::int64_t position : s.worst)
    if (position < 0 || position >= count)
      reader.refuse(fmt::format("\"worst\" names sample {} of {}", position, count));
  const auto losses = reader.tensor("losses");
  if (losses.shape() != Shape{count}) reader.refuse("\"losses\" are not one for each sample");
  const auto values = losses.values<float>();
  s.losses.assign(values.begin(), values.end());
  if (count > 0) {
    s.inputs = reader.tensor("inputs");
    s.pixels = reader.array("inputs", 0).type == io::ElementType::u8;
    s.targets = reader.tensor("targets");
    s.outputs = reader.tensor("outputs");
    const int rank = s.outputs.rank();
    const bool every_step = rank == 3;
    const bool fits = (rank == 2 || every_step) && s.outputs.dtype() == DType::f32 &&
                      s.inputs.rank() >= 2 && s.inputs.rank() <= 4 &&
                      (s.targets.dtype() == DType::f32 ? s.targets.shape() == s.outputs.shape()
                       : every_step ? s.targets.shape() == s.outputs.shape().without(2)
                                    : s.targets.rank() == 1);
    if (!fits)
      reader.refuse(fmt::format("outputs of shape {} and targets of shape {} do not fit",
                                s.outputs.shape().str(), s.targets.shape().str()));
    for (const Tensor* tensor : {&s.inputs, &s.targets, &s.outputs})
      if (tensor->size(0) != count)
        reader.refuse(
            fmt::format("{} samples, and arrays of shape {}", count, tensor->shape().str()));
  }
  if (reader.find("lengths")) s.lengths = reader.integers("lengths", 1);
  if (!s.lengths.empty() && std::ssize(s.lengths) != count)
    reader.refuse("\"lengths\" are not one for each sample");
  for (const std::int64_t length : s.lengths)
    if (length < 1 || s.inputs.rank() < 2 || length > s.inputs.size(1))
      reader.refuse(fmt::format("a sample has {} steps of {}", length, s.inputs.shape().str()));
  if (reader.find("confusion")) {
    const io::ArrayView& counts = reader.array("confusion", 2);
    if (counts.shape[0] != counts.shape[1]) reader.refuse("\"confusion\" is not square");
    s.confusion.emplace(counts.shape[0]);
    s.confusion->counts = reader.integers("confusion", 2);
  }
  for (const io::ArrayView& array : file.arrays())
    if (array.name.starts_with(kStates))
      s.states[array.name.substr(std::strlen(kStates))] = reader.tensor(array.name);
  return s;
}

}  // namespace unroll::run
