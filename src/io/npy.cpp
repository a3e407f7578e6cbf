#include "unroll/io/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>

#include "core/file.h"
#include "core/float_environment.h"
#include "io/npy_header.h"
#include "io/npy_memory.h"
#include "io/npy_start.h"
#include "io/safetensors_header.h"
#include "unroll/core/error.h"

namespace unroll::io {
namespace {

static_assert(std::endian::native == std::endian::little, "only little-endian files are written");

constexpr std::size_t alignment = 64;

/// The type after reading: the smallest float that holds all values (except integers beyond 2^53).
ElementType type_of(const NpyElements& elements) {
  return elements.size > (elements.kind == 'f' ? 4u : 2u) ? ElementType::f64 : ElementType::f32;
}

/// The little-endian integer or boolean at `place`.
double number_at(const NpyElements& elements, const std::byte* place) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, place, elements.size);
  if (elements.kind == 'b') return bits != 0 ? 1 : 0;
  if (elements.kind == 'u') return static_cast<double>(bits);
  const std::size_t above = 64 - 8 * elements.size;  // shifting left and back extends the sign
  return static_cast<double>(static_cast<std::int64_t>(bits << above) >> above);
}

template <class T>
void put(T value, std::byte*& place) {
  std::memcpy(place, &value, sizeof value);
  place += sizeof value;
}

/// Converts the elements of a file to floats of type_of().
void to_floats_of_type(const NpyElements& elements, std::vector<std::byte>& data) {
  const std::size_t size = elements.size, count = data.size() / size;
  if (elements.swapped)
    for (std::size_t i = 0; i < count; ++i)
      std::reverse(data.data() + i * size, data.data() + (i + 1) * size);
  if (elements.kind == 'f' && size > 2) return;
  const ElementType type = type_of(elements);
  const FloatEnvironment environment;  // integers beyond 2^53 are rounded
  std::vector<std::byte> out(count * size_of(type));
  std::byte* place = out.data();
  if (elements.kind == 'f') {
    const ArrayView halves{"array", ElementType::f16, {static_cast<std::int64_t>(count)}, data};
    for (const float value : floats_of<float>(halves)) put(value, place);
  } else if (type == ElementType::f32) {
    for (std::size_t i = 0; i < count; ++i)
      put(static_cast<float>(number_at(elements, data.data() + i * size)), place);
  } else {
    for (std::size_t i = 0; i < count; ++i) put(number_at(elements, data.data() + i * size), place);
  }
  data.swap(out);
}

NpyArray read_array(const NpyBytes& bytes) {
  const NpyHeader header = read_npy_header(bytes);
  NpyArray array;
  array.type = type_of(header.elements);
  array.shape = header.shape;
  try {
    array.data.resize(bytes.size - header.begin);
    bytes.read_at(header.begin, array.data);
    to_floats_of_type(header.elements, array.data);
    if (header.fortran_order) array.data = in_c_order(array.data, array.shape, size_of(array.type));
  } catch (const std::bad_alloc&) {
    throw FileError(npy_operation,
                    fmt::format("{}: its {} bytes do not fit into memory", bytes.path, bytes.size));
  }
  return array;
}

void write(const std::string& path, const std::vector<std::int64_t>& shape, ElementType type,
           std::span<const std::byte> data) {
  std::uint64_t bytes = 0;
  if (!bytes_of(type, shape, bytes) || bytes != data.size())
    throw ShapeError(npy_operation,
                     fmt::format("{}: the {} values given do not fit shape [{}]", path,
                                 data.size() / size_of(type), fmt::join(shape, ", ")));
  const std::string start = npy_start(path, shape, type);
  const std::array parts{std::as_bytes(std::span(start)), data};
  write_file(npy_operation, path, parts);
}

}  // namespace

std::string npy_start(const std::string& name, const std::vector<std::int64_t>& shape,
                      ElementType type) {
  std::string header =
      fmt::format("{{'descr': '<f{}', 'fortran_order': False, 'shape': ({}{}), }}", size_of(type),
                  fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  const std::size_t size = npy_prefix_size + header.size() + 1;
  header.append((alignment - size % alignment) % alignment, ' ').push_back('\n');
  if (header.size() > longest_npy_header)
    throw ShapeError(npy_operation, fmt::format("{}: {} dimensions are too many for the format",
                                                name, shape.size()));
  std::string start(npy_magic);
  start.append("\x01\x00", 2);
  start.push_back(static_cast<char>(header.size() & 0xff));
  start.push_back(static_cast<char>(header.size() >> 8));
  return start + header;
}

NpyArray read_npy(const std::string& path) {
  const InputFile file(npy_operation, path);
  return read_array({.path = path, .size = file.size(), .read_at = [&file](auto offset, auto out) {
                       file.read_at(offset, out);
                     }});
}

NpyArray npy_of(std::span<const std::byte> bytes, const std::string& name) {
  return read_array(npy_bytes(bytes, name));
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
