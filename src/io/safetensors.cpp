#include "unroll/io/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <utility>

#include "core/file.h"
#include "core/file_kind.h"
#include "core/printable.h"
#include "io/safetensors_header.h"
#include "unroll/core/error.h"

namespace unroll::io {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::size_t length_size = 8;

/// The length of the header, from the first bytes of a file. The error for a file of another kind
/// names the kind.
std::uint64_t read_length(std::span<const std::byte> bytes, const std::string& file) {
  if (const auto kind = file_kind(bytes); kind && kind->what != safetensors_kind)
    throw FormatError(safetensors_operation,
                      wrong_kind(file, *kind, safetensors_kind,
                                 "save the weights with safetensors.torch.save_file", true));
  if (bytes.size() < length_size)
    throw FormatError(
        safetensors_operation,
        fmt::format("{}: {} bytes are too few for a safetensors file: truncated; save "
                    "or download it again",
                    file, bytes.size()));
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), length_size);
  return length;
}

std::vector<ArrayView> views(std::vector<HeaderEntry> entries, std::span<const std::byte> data) {
  std::vector<ArrayView> arrays;
  arrays.reserve(entries.size());
  for (HeaderEntry& entry : entries)
    arrays.push_back({std::move(entry.name), entry.type, std::move(entry.shape),
                      data.subspan(entry.begin, entry.end - entry.begin)});
  return arrays;
}

void check_writable(std::span<const ArrayView> arrays) {
  std::set<std::string_view> names;
  for (const ArrayView& array : arrays) {
    if (!is_good_name(array.name) || array.name == metadata_key)
      throw ValueError(safetensors_operation,
                       fmt::format("{} can't be the name of a tensor; choose one without control "
                                   "characters",
                                   in_quotes(array.name)));
    if (!names.insert(array.name).second)
      throw ValueError(
          safetensors_operation,
          fmt::format("two tensors are named {}; names must differ", in_quotes(array.name)));
    std::uint64_t bytes = 0;
    if (!bytes_of(array.type, array.shape, bytes) || bytes != array.data.size())
      throw ShapeError(safetensors_operation,
                       fmt::format("tensor {} of shape [{}] and type {} does not fit its {} bytes",
                                   in_quotes(array.name), fmt::join(array.shape, ", "),
                                   name_of(array.type), array.data.size()));
  }
}

}  // namespace

Safetensors Safetensors::read(const std::string& path) {
  const InputFile file(safetensors_operation, path);
  const std::uint64_t length = read_length(file_start(file), path);
  check_header_length(length, file.size(), path);

  const std::uint64_t data_size = file.size() - length_size - length;
  Safetensors result;
  try {
    std::string text(length, '\0');
    file.read_at(length_size, std::as_writable_bytes(std::span(text)));
    Header header = parse_header(text, data_size, path);
    result.bytes_.resize(data_size);
    file.read_at(length_size + length, result.bytes_);
    result.take(std::move(header), result.bytes_);
  } catch (const std::bad_alloc&) {
    throw FileError(safetensors_operation,
                    fmt::format("{}: its {} bytes do not fit into memory", path, file.size()));
  }
  return result;
}

Safetensors Safetensors::parse(std::vector<std::byte> bytes, const std::string& name) {
  const std::uint64_t length = read_length(bytes, name);
  check_header_length(length, bytes.size(), name);
  const auto body = std::span<const std::byte>(bytes).subspan(length_size);
  const auto data = body.subspan(length);
  const std::string_view text(reinterpret_cast<const char*>(body.data()), length);
  Header header = parse_header(text, data.size(), name);

  Safetensors result;
  result.take(std::move(header), data);
  result.bytes_ = std::move(bytes);  // the views stay valid: a moved vector keeps its memory
  return result;
}

const ArrayView* Safetensors::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      by_name_, name, {}, [&](std::uint32_t i) -> std::string_view { return arrays_[i].name; });
  return found == by_name_.end() || arrays_[*found].name != name ? nullptr : &arrays_[*found];
}

void Safetensors::take(Header header, std::span<const std::byte> data) {
  arrays_ = views(std::move(header.entries), data);
  metadata_ = std::move(header.metadata);
  by_name_.resize(arrays_.size());
  std::iota(by_name_.begin(), by_name_.end(), std::uint32_t{0});
  std::ranges::sort(by_name_, {},
                    [&](std::uint32_t i) -> std::string_view { return arrays_[i].name; });
}

namespace {

/// The contents of a file to write: length field, header and data.
struct Contents {
  std::uint64_t length = 0;
  std::string header;
  std::vector<std::span<const std::byte>> data;

  std::vector<std::span<const std::byte>> parts() const {
    std::vector<std::span<const std::byte>> all = {std::as_bytes(std::span(&length, 1)),
                                                   std::as_bytes(std::span(header))};
    all.insert(all.end(), data.begin(), data.end());
    return all;
  }
};

Contents contents_of(std::span<const ArrayView> arrays,
                     const std::map<std::string, std::string>& metadata) {
  check_writable(arrays);

  std::vector<const ArrayView*> by_width;  // widest types first
  for (const std::size_t width : {8, 4, 2, 1})
    for (const ArrayView& array : arrays)
      if (size_of(array.type) == width) by_width.push_back(&array);

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[std::string(metadata_key)] = metadata;
  Contents contents;
  std::uint64_t position = 0;
  for (const ArrayView* array : by_width) {
    // emplace_back, not operator[], which searches all keys of an ordered object.
    header.get_ref<nlohmann::ordered_json::object_t&>().emplace_back(
        array->name,
        nlohmann::ordered_json{{"dtype", name_of(array->type)},
                               {"shape", array->shape},
                               {"data_offsets", {position, position + array->data.size()}}});
    position += array->data.size();
    contents.data.push_back(array->data);
  }

  try {
    contents.header = header.dump();
  } catch (const nlohmann::ordered_json::type_error&) {
    throw ValueError(safetensors_operation, "a tensor's name or the metadata is not UTF-8");
  }
  // The data starts aligned, as in the official library.
  contents.header.resize((contents.header.size() + 7) / 8 * 8, ' ');
  contents.length = contents.header.size();
  return contents;
}

}  // namespace

void write_safetensors(const std::string& path, std::span<const ArrayView> arrays,
                       const std::map<std::string, std::string>& metadata) {
  const Contents contents = contents_of(arrays, metadata);
  write_file(safetensors_operation, path, contents.parts());
}

std::vector<std::byte> safetensors_bytes(std::span<const ArrayView> arrays,
                                         const std::map<std::string, std::string>& metadata) {
  const Contents contents = contents_of(arrays, metadata);
  std::vector<std::byte> bytes;
  for (const auto& part : contents.parts()) bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

}  // namespace unroll::io
