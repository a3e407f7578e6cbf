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
#include "core/float_environment.h"
#include "io/npy_memory.h"
#include "io/npy_start.h"
#include "io/safetensors_header.h"
#include "unroll/core/error.h"

namespace unroll::io {
namespace {

static_assert(std::endian::native == std::endian::little, "only little-endian files are written");

constexpr std::string_view operation = "npy";
// The magic, a version, and the length of the header that follows, in two bytes or in four.
constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t prefix_size = 10, long_prefix_size = 12;
constexpr std::size_t longest_header = 0xffff;
constexpr std::size_t alignment = 64;
constexpr std::size_t most_dimensions = 64;  // NumPy's limit; visiting more would take long

[[noreturn]] void fail(const std::string& path, std::string_view what) {
  throw FormatError(operation, fmt::format("{}: {}; save it again with numpy.save as an array of "
                                           "float32 or float64",
                                           path, what));
}

/// An array in memory, read as a file is.
class ArrayInMemory {
 public:
  ArrayInMemory(std::span<const std::byte> bytes, const std::string& name)
      : bytes_(bytes), name_(name) {}

  const std::string& path() const { return name_; }
  std::uint64_t size() const { return bytes_.size(); }
  void read_at(std::uint64_t offset, std::span<std::byte> out) const {
    std::ranges::copy(bytes_.subspan(offset, out.size()), out.begin());
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& name_;
};

/// Throws an error that names the kind of another file.
template <class File>
void check_kind(const File& file) {
  std::vector<std::byte> bytes(std::min<std::uint64_t>(file_kind_bytes, file.size()));
  file.read_at(0, bytes);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with(magic)) return;
  if (const auto kind = file_kind(bytes))
    throw FormatError(operation,
                      wrong_kind(file.path(), *kind, "an .npy array",
                                 "save one array with numpy.save, as float32 or float64"));
}

/// Type of the elements: NumPy's letter for the kind, the size, and the byte order.
struct Elements {
  char kind = 'f';  // f: floats, i and u: integers, b: booleans
  std::size_t size = 4;
  bool swapped = false;  // big-endian
};

/// The text after `key` and its colon in the header's Python dictionary.
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
  if (!text.starts_with('(') || end == std::string_view::npos)
    fail(path, "the shape is not a tuple");
  text = text.substr(1, end - 1);
  std::vector<std::int64_t> shape;
  while (!text.empty()) {
    std::int64_t size = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || size < 0) fail(path, "the shape has an entry that is not a size");
    shape.push_back(size);
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    if (text.starts_with('L')) text.remove_prefix(1);  // a long integer of Python 2
    if (!text.empty() && text.front() != ',') fail(path, "the shape has no comma between sizes");
    if (!text.empty()) text.remove_prefix(1);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  return shape;
}

/// Converts elements from Fortran order (first index fastest) to C order (last index fastest).
std::vector<std::byte> in_c_order(const NpyArray& array) {
  const std::size_t element = size_of(array.type), count = array.data.size() / element;
  std::vector<std::size_t> sizes;  // without sizes of 1, which change nothing
  for (const std::int64_t n : array.shape)
    if (n != 1) sizes.push_back(static_cast<std::size_t>(n));
  std::vector<std::byte> out(array.data.size());
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t rest = i, stride = count, from = 0;
    for (std::size_t d = sizes.size(); d-- > 0;) {
      stride /= sizes[d];
      from += rest % sizes[d] * stride;
      rest /= sizes[d];
    }
    std::memcpy(out.data() + i * element, array.data.data() + from * element, element);
  }
  return out;
}

std::string_view meaning_of(char kind) {
  switch (kind) {
    case 'c':
      return "complex numbers";
    case 'S':
    case 'U':
    case 'a':
      return "text";
    case 'O':
      return "Python objects";
    case 'M':
    case 'm':
      return "dates or times";
    case 'V':
      return "raw bytes";
    case 'f':
      return "floats of a size that only some machines have";
    default:
      return "of an unknown kind";
  }
}

/// The type of the elements, "<f4", in quotes at the beginning of `text`.
Elements parse_type(std::string_view text, const std::string& path) {
  if (text.starts_with('[')) fail(path, "its elements are records of several fields");
  const auto end = text.find('\'', 1);
  if (!text.starts_with('\'') || end == std::string_view::npos || end < 3 || end > 16)
    fail(path, "the header does not give the elements' type");
  text = text.substr(1, end - 1);
  Elements elements{text[1], 0, text[0] == '>'};
  const auto [rest, error] =
      std::from_chars(text.data() + 2, text.data() + text.size(), elements.size);
  const std::size_t size = elements.size;
  const bool is_whole = error == std::errc() && rest == text.data() + text.size() &&
                        std::string_view("<>|=").find(text[0]) != std::string_view::npos;
  const bool is_known = elements.kind == 'f'   ? size == 2 || size == 4 || size == 8
                        : elements.kind == 'b' ? size == 1
                        : elements.kind == 'i' || elements.kind == 'u'
                            ? size == 1 || size == 2 || size == 4 || size == 8
                            : false;
  if (!is_whole || !is_known)
    fail(path, fmt::format("its elements are {}, '{}'", meaning_of(elements.kind), text));
  return elements;
}

/// The type after reading: the smallest float that holds all values (except integers beyond 2^53).
ElementType type_of(const Elements& elements) {
  return elements.size > (elements.kind == 'f' ? 4u : 2u) ? ElementType::f64 : ElementType::f32;
}

/// The little-endian integer or boolean at `place`.
double number_at(const Elements& elements, const std::byte* place) {
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
void to_floats_of_type(const Elements& elements, std::vector<std::byte>& data) {
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

struct Description {
  Elements elements;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

Description parse_description(std::string_view header, std::uint64_t data_size,
                              const std::string& path) {
  Description d;
  d.elements = parse_type(value_after(header, "descr", path), path);
  const std::string_view order = value_after(header, "fortran_order", path);
  d.fortran_order = !order.starts_with("False");
  d.shape = parse_shape(value_after(header, "shape", path), path);
  if (d.fortran_order && (!order.starts_with("True") || d.shape.size() > most_dimensions))
    fail(path, "'fortran_order' is neither False, nor True with up to 64 dimensions");
  std::uint64_t count = 0, bytes = 0;
  if (!bytes_of(ElementType::u8, d.shape, count) ||
      __builtin_mul_overflow(count, std::uint64_t{d.elements.size}, &bytes) || bytes != data_size)
    fail(path,
         fmt::format("shape [{}] with elements of {} byte{} does not fit its {} bytes of data",
                     fmt::join(d.shape, ", "), d.elements.size, d.elements.size == 1 ? "" : "s",
                     data_size));
  return d;
}

/// Reads the header's text; sets `end` to its end in the file.
template <class File>
std::string read_header(const File& file, std::uint64_t& end) {
  const std::string& path = file.path();
  std::array<unsigned char, long_prefix_size> prefix{};
  if (file.size() < prefix_size) fail(path, "it is too short for an .npy file: truncated");
  file.read_at(0, std::as_writable_bytes(std::span(prefix).first(prefix_size)));
  if (!std::equal(magic.begin(), magic.end(), prefix.begin(),
                  [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; }))
    fail(path, "it is not an .npy file");
  const unsigned version = prefix[6];
  if (version < 1 || version > 3 || prefix[7] != 0)
    fail(path,
         fmt::format("it has .npy version {}.{}, expected 1.0, 2.0 or 3.0", version, prefix[7]));
  const std::size_t begin = version == 1 ? prefix_size : long_prefix_size;
  if (file.size() < begin) fail(path, "it is too short for an .npy file: truncated");
  file.read_at(0, std::as_writable_bytes(std::span(prefix).first(begin)));
  std::size_t length = 0;
  for (std::size_t i = begin; i-- > 8;) length = length << 8 | prefix[i];
  if (length > file.size() - begin) fail(path, "its header is truncated");
  if (length > longest_header)
    fail(path, fmt::format("its header has {} bytes, the limit is {}", length, longest_header));
  std::string header(length, '\0');
  file.read_at(begin, std::as_writable_bytes(std::span(header)));
  end = begin + length;
  return header;
}

template <class File>
NpyArray read_array(const File& file) {
  const std::string& path = file.path();
  check_kind(file);
  std::uint64_t begin = 0;
  const std::string header = read_header(file, begin);
  const std::uint64_t data_size = file.size() - begin;
  const Description d = parse_description(header, data_size, path);
  NpyArray array;
  array.type = type_of(d.elements);
  array.shape = d.shape;
  try {
    array.data.resize(data_size);
    file.read_at(begin, array.data);
    to_floats_of_type(d.elements, array.data);
    if (d.fortran_order) array.data = in_c_order(array);
  } catch (const std::bad_alloc&) {
    throw FileError(operation,
                    fmt::format("{}: its {} bytes do not fit into memory", path, file.size()));
  }
  return array;
}

void write(const std::string& path, const std::vector<std::int64_t>& shape, ElementType type,
           std::span<const std::byte> data) {
  std::uint64_t bytes = 0;
  if (!bytes_of(type, shape, bytes) || bytes != data.size())
    throw ShapeError(operation, fmt::format("{}: the {} values given do not fit shape [{}]", path,
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
  if (header.size() > longest_header)
    throw ShapeError(operation, fmt::format("{}: {} dimensions are too many for the format", name,
                                            shape.size()));
  std::string start(magic);
  start.append("\x01\x00", 2);
  start.push_back(static_cast<char>(header.size() & 0xff));
  start.push_back(static_cast<char>(header.size() >> 8));
  return start + header;
}

NpyArray read_npy(const std::string& path) { return read_array(InputFile(operation, path)); }

NpyArray npy_of(std::span<const std::byte> bytes, const std::string& name) {
  return read_array(ArrayInMemory(bytes, name));
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
