#include "run/initial_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

#include "core/file.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "data/sha256.h"
#include "run/file_names.h"
#include "unroll/core/error.h"
#include "unroll/io/safetensors.h"

namespace unroll::run {
namespace {

Tensor tensor_of(const io::ArrayView& array, const std::string& path) {
  const auto copy = [&]<class T>(T*) {
    const Tensor tensor = Tensor::empty(Shape(array.shape), DTypeOf<T>::value);
    std::ranges::copy(array.data, std::as_writable_bytes(tensor.values<T>()).begin());
    return tensor;
  };
  if (array.shape.size() <= Shape::max_rank && array.type == io::ElementType::f32)
    return copy(static_cast<float*>(nullptr));
  if (array.shape.size() <= Shape::max_rank && array.type == io::ElementType::f64)
    return copy(static_cast<double*>(nullptr));
  throw FormatError("init-from",
                    fmt::format("{}: {} has the type {} and {} dimensions, expected F32 or F64 and "
                                "at most {}",
                                printable(path), printable(array.name), io::name_of(array.type),
                                array.shape.size(), Shape::max_rank));
}

}  // namespace

std::optional<InitialModel> initial_model(const train::Config& config) {
  if (config.init_from.empty()) return std::nullopt;
  std::string path = config.init_from;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) path += std::string("/") + model_file;
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 33;
  std::vector<std::byte> bytes = read_file("init-from", path, kLargest);
  InitialModel model;
  model.sha256 = data::sha256(bytes);
  model.weights.name = path;
  const auto file = io::Safetensors::parse(std::move(bytes), path);
  const auto text = file.metadata().find(spec::ModelSpec::metadata_key);
  if (text == file.metadata().end())
    throw FormatError("init-from", fmt::format("{} does not describe its model; import it first: "
                                               "unroll import {}",
                                               printable(path), shell_word(path)));
  model.weights.spec = spec::from_json(text->second);
  for (const io::ArrayView& array : file.arrays())
    model.weights.weights.push_back({array.name, tensor_of(array, path)});
  return model;
}

}  // namespace unroll::run
