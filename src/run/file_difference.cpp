#include "run/file_difference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

#include "core/printable.h"
#include "io/array_index.h"
#include "train/checkpoint.h"
#include "unroll/core/error.h"
#include "unroll/spec/model_spec.h"

namespace unroll::run {
namespace {

/// Enough digits that different bits give different text, except for NaNs.
std::string value_text(const io::ArrayView& array, std::size_t element) {
  const auto text = [&]<class T>(T value) {
    std::memcpy(&value, &array.data[element * sizeof value], sizeof value);
    return fmt::format("{:.{}g}", value, sizeof value == 4 ? 9 : 17);
  };
  return array.type == io::ElementType::f64 ? text(0.0) : text(0.0f);
}

std::string difference_of_tensors(const io::Safetensors& file, const io::Safetensors& again) {
  for (const io::ArrayView& ours : again.arrays()) {
    const io::ArrayView* theirs = file.find(ours.name);
    if (!theirs) return fmt::format("{} is missing in the file", ours.name);
    if (theirs->type != ours.type || theirs->shape != ours.shape)
      return fmt::format("{} is {} [{}] in the file, {} [{}] when trained again", ours.name,
                         io::name_of(theirs->type), fmt::join(theirs->shape, ", "),
                         io::name_of(ours.type), fmt::join(ours.shape, ", "));
    const std::size_t width = io::size_of(ours.type);
    for (std::size_t i = 0; i < ours.data.size() / width; ++i)
      if (std::memcmp(&ours.data[i * width], &theirs->data[i * width], width) != 0)
        return fmt::format("{}{} is {} in the file, {} when trained again", ours.name,
                           io::index_text(i, ours.shape), value_text(*theirs, i),
                           value_text(ours, i));
  }
  if (file.arrays().size() != again.arrays().size())
    return "the file has tensors that the model does not have";
  return "";
}

/// Whether two values of the metadata are equal. A description may be in an older version of its
/// format.
bool same_value(const std::string& key, const std::string& there, const std::string& again) {
  if (there == again) return true;
  if (key != spec::ModelSpec::metadata_key && key != train::model_key) return false;
  try {
    return spec::same_description(there, again);
  } catch (const FormatError&) {
    return false;  // `there` is no description
  }
}

std::string difference_of_metadata(const io::Safetensors& file, const io::Safetensors& again) {
  for (const auto& [key, value] : again.metadata()) {
    const auto theirs = file.metadata().find(key);
    if (theirs == file.metadata().end())
      return fmt::format("its metadata has no {}", in_quotes(key));
    if (!same_value(key, theirs->second, value))
      return fmt::format("its metadata differs under {}", in_quotes(key));
  }
  for (const auto& [key, value] : file.metadata())
    if (!again.metadata().contains(key))
      return fmt::format("its metadata has {}, which training does not write", in_quotes(key));
  return "";
}

}  // namespace

std::string first_difference(std::vector<std::byte> there, std::vector<std::byte> again) {
  if (there == again) return "";
  const auto file = io::Safetensors::parse(there, "the file");
  const auto expected = io::Safetensors::parse(std::move(again), "what was trained again");
  std::string difference = difference_of_tensors(file, expected);
  if (difference.empty()) difference = difference_of_metadata(file, expected);
  if (difference.empty() && io::safetensors_bytes(expected.arrays(), file.metadata()) != there)
    difference = "its header has another layout";
  return difference;
}

}  // namespace unroll::run
