#include "unroll/io/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <new>

#include "core/file.h"
#include "core/file_kind.h"
#include "io/npy_start.h"
#include "io/safetensors_header.h"
#include "unroll/core/error.h"

namespace unroll::io {
namespace {

static_assert(std::endian::native == std::endian::little, "only little-endian files are written");

constexpr std::string_view operation = "npy";
// The magic, version 1.0, and two bytes for the length of the header that follows.
constexpr std::string_view magic{"\x93NUMPY\x01\x00", 8};
constexpr std::size_t prefix_size = 10;
constexpr std::size_t alignment = 64;
constexpr std::size_t most_dimensions = 64;  // of NumPy; going through more would take long

[[noreturn]] void fail(const std::string& path, std::string_view what) {
  throw FormatError(operation, fmt::format("{}: {}; save it again with numpy.save as an array of "
                                           "float32 or float64",
                                           path, what));
}

/// Names a file of another kind.
void check_kind(const InputFile& file) {
  const std::vector<std::byte> bytes = file_start(file);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with(magic.substr(0, 6))) return;
  if (const auto kind = file_kind(bytes))
    throw FormatError(operation,
                      wrong_kind(file.path(), *kind, "an .npy array",
                                 "save one array with numpy.save, as float32 or float64"));
}

/// What stands after `key` and its colon in the header's Python dictionary.
std::string_view value_after(std::string_view header, std::string_view key,
                             const std::string& path) {
  const auto found = header.find(fmt::format("'{}':", key));
  if (found == std::string_view::npos) fail(path, fmt::format("the header has no '{}'", key));
  header.remove_prefix(found + key.size() + 3);
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header;
}

/// "(3, 4)", "(3,)" or "()".
std::vector<std::int64_t> parse_shape(std::string_view text, const std::string& path) {
  const auto end = text.find(')');
  if (!text.starts_with('(') || end == std::string_view::npos) fail(path, "the shape is no tuple");
  text = text.substr(1, end - 1);
  std::vector<std::int64_t> shape;
  while (!text.empty()) {
    std::int64_t size = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || size < 0) fail(path, "the shape has something else than sizes");
    shape.push_back(size);
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    if (!text.empty() && text.front() != ',') fail(path, "the shape has no comma between sizes");
    if (!text.empty()) text.remove_prefix(1);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  return shape;
}

/// Elements of Fortran order, where the first index runs fastest, in C order, where the last does.
std::vector<std::byte> in_c_order(const NpyArray& array) {
  const std::size_t element = size_of(array.type), count = array.data.size() / element;
  std::vector<std::byte> out(array.data.size());
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t rest = i, stride = count, from = 0;
    for (std::size_t d = array.shape.size(); d-- > 0;) {
      const auto size = static_cast<std::size_t>(array.shape[d]);
      stride /= size;
      from += rest % size * stride;
      rest /= size;
    }
    std::memcpy(out.data() + i * element, array.data.data() + from * element, element);
  }
  return out;
}

NpyArray parse_description(std::string_view header, std::uint64_t data_size,
                           const std::string& path, bool& fortran_order) {
  NpyArray array;
  const std::string_view type = value_after(header, "descr", path);
  if (type.starts_with("'<f4'"))
    array.type = ElementType::f32;
  else if (type.starts_with("'<f8'"))
    array.type = ElementType::f64;
  else
    fail(path, "its elements are not little-endian float32 or float64");
  const std::string_view order = value_after(header, "fortran_order", path);
  fortran_order = !order.starts_with("False");
  array.shape = parse_shape(value_after(header, "shape", path), path);
  if (fortran_order && (!order.starts_with("True") || array.shape.size() > most_dimensions))
    fail(path, "'fortran_order' is not False, nor True of up to 64 dimensions");
  std::uint64_t bytes = 0;
  if (!bytes_of(array.type, array.shape, bytes) || bytes != data_size)
    fail(path, fmt::format("shape [{}] of {} does not fit its {} bytes of data",
                           fmt::join(array.shape, ", "), name_of(array.type), data_size));
  return array;
}

void write(const std::string& path, const std::vector<std::int64_t>& shape, ElementType type,
           std::span<const std::byte> data) {
  std::uint64_t bytes = 0;
  if (!bytes_of(type, shape, bytes) || bytes != data.size())
    throw ShapeError(operation, fmt::format("{}: {} values were given for shape [{}]", path,
                                            data.size() / size_of(type), fmt::join(shape, ", ")));
  const std::string start = npy_start(path, shape, type);
  const std::array parts{std::as_bytes(std::span(start)), data};
  write_file(operation, path, parts);
}

}  // namespace

std::string npy_start(const std::string& name, const std::vector<std::int64_t>& shape,
                      ElementType type) {
  std::string header =
      fmt::format("{{'descr': '<f{}', 'fortran_order': False, 'shape': ({}{}), }}", size_of(type),
                  fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  const std::size_t size = prefix_size + header.size() + 1;
  header.append((alignment - size % alignment) % alignment, ' ').push_back('\n');
  if (header.size() > 0xffff)
    throw ShapeError(operation, fmt::format("{}: {} dimensions are too many for the format", name,
                                            shape.size()));
  std::string start(magic);
  start.push_back(static_cast<char>(header.size() & 0xff));
  start.push_back(static_cast<char>(header.size() >> 8));
  return start + header;
}

NpyArray read_npy(const std::string& path) {
  const InputFile file(operation, path);
  check_kind(file);
  std::string prefix(prefix_size, '\0');
  if (file.size() < prefix_size) fail(path, "it is too short for an .npy file: truncated");
  file.read_at(0, std::as_writable_bytes(std::span(prefix)));
  if (!prefix.starts_with(magic)) fail(path, "it is not an .npy file of version 1.0");
  const std::size_t length = static_cast<unsigned char>(prefix[8]) +
                             (std::size_t{static_cast<unsigned char>(prefix[9])} << 8);
  if (length > file.size() - prefix_size) fail(path, "its header is truncated");
  std::string header(length, '\0');
  file.read_at(prefix_size, std::as_writable_bytes(std::span(header)));

  const std::uint64_t data_size = file.size() - prefix_size - length;
  bool fortran_order = false;
  NpyArray array = parse_description(header, data_size, path, fortran_order);
  try {
    array.data.resize(data_size);
    file.read_at(prefix_size + length, array.data);
    if (fortran_order) array.data = in_c_order(array);
  } catch (const std::bad_alloc&) {
    throw FileError(operation,
                    fmt::format("{}: its {} bytes do not fit into memory", path, file.size()));
  }
  return array;
}

void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
               std::span<const float> values) {
  write(path, shape, ElementType::f32, std::as_bytes(values));
}

void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
               std::span<const double> values) {
  write(path, shape, ElementType::f64, std::as_bytes(values));
}

}  // namespace unroll::io
