#include "io/npy_header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "core/file_kind.h"
#include "io/safetensors_header.h"
#include "unroll/core/error.h"

namespace unroll::io {
namespace {

constexpr std::size_t long_prefix_size = 12;
constexpr std::size_t most_dimensions = 64;  // NumPy's limit; visiting more would take long
constexpr std::size_t longest_text = std::size_t{1} << 20;
constexpr std::size_t bytes_of_character = 4;

/// Throws an error that names the kind of another file.
void check_kind(const NpyBytes& file) {
  std::vector<std::byte> bytes(std::min<std::uint64_t>(file_kind_bytes, file.size));
  file.read_at(0, bytes);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with(npy_magic)) return;
  if (const auto kind = file_kind(bytes))
    throw FormatError(npy_operation,
                      wrong_kind(file.path, *kind, "an .npy array",
                                 "save one array with numpy.save, as float32 or float64"));
}

/// The text after `key` and its colon in the header's Python dictionary.
std::string_view value_after(std::string_view header, std::string_view key,
                             const std::string& path) {
  const auto found = header.find(fmt::format("'{}':", key));
  if (found == std::string_view::npos) refuse_npy(path, fmt::format("the header has no '{}'", key));
  header.remove_prefix(found + key.size() + 3);
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header;
}

/// "(3, 4)", "(3,)" or "()".
std::vector<std::int64_t> parse_shape(std::string_view text, const std::string& path) {
  const auto end = text.find(')');
  if (!text.starts_with('(') || end == std::string_view::npos)
    refuse_npy(path, "the shape is not a tuple");
  text = text.substr(1, end - 1);
  std::vector<std::int64_t> shape;
  while (!text.empty()) {
    std::int64_t size = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || size < 0)
      refuse_npy(path, "the shape has an entry that is not a size");
    shape.push_back(size);
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    if (text.starts_with('L')) text.remove_prefix(1);  // a long integer of Python 2
    if (!text.empty() && text.front() != ',')
      refuse_npy(path, "the shape has no comma between sizes");
    if (!text.empty()) text.remove_prefix(1);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  return shape;
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
NpyElements parse_type(std::string_view text, bool texts, const std::string& path) {
  if (text.starts_with('[')) refuse_npy(path, "its elements are records of several fields");
  const auto end = text.find('\'', 1);
  if (!text.starts_with('\'') || end == std::string_view::npos || end < 3 || end > 16)
    refuse_npy(path, "the header does not give the elements' type");
  text = text.substr(1, end - 1);
  NpyElements elements{text[1], 0, text[0] == '>'};
  const auto [rest, error] =
      std::from_chars(text.data() + 2, text.data() + text.size(), elements.size);
  const std::size_t size = elements.size;
  const bool is_whole = error == std::errc() && rest == text.data() + text.size() &&
                        std::string_view("<>|=").find(text[0]) != std::string_view::npos;
  const bool is_known = elements.kind == 'f'   ? size == 2 || size == 4 || size == 8
                        : elements.kind == 'b' ? size == 1
                        : elements.kind == 'i' || elements.kind == 'u'
                            ? size == 1 || size == 2 || size == 4 || size == 8
                        : elements.is_text() ? texts && size > 0 && size <= longest_text
                                             : false;
  if (!is_whole || !is_known)
    refuse_npy(path, fmt::format("its elements are {}, '{}'", meaning_of(elements.kind), text));
  if (elements.kind == 'U') elements.size *= bytes_of_character;
  return elements;
}

NpyHeader parse_header(std::string_view header, std::uint64_t data_size, bool texts,
                       const std::string& path) {
  NpyHeader d;
  d.elements = parse_type(value_after(header, "descr", path), texts, path);
  const std::string_view order = value_after(header, "fortran_order", path);
  d.fortran_order = !order.starts_with("False");
  d.shape = parse_shape(value_after(header, "shape", path), path);
  if (d.fortran_order && (!order.starts_with("True") || d.shape.size() > most_dimensions))
    refuse_npy(path, "'fortran_order' is neither False, nor True with up to 64 dimensions");
  std::uint64_t count = 0, bytes = 0;
  if (!bytes_of(ElementType::u8, d.shape, count) ||
      __builtin_mul_overflow(count, std::uint64_t{d.elements.size}, &bytes) || bytes != data_size)
    refuse_npy(
        path, fmt::format("shape [{}] with elements of {} byte{} does not fit its {} bytes of data",
                          fmt::join(d.shape, ", "), d.elements.size,
                          d.elements.size == 1 ? "" : "s", data_size));
  return d;
}

/// Reads the header's text; sets `end` to its end in the file.
std::string read_header(const NpyBytes& file, std::uint64_t& end) {
  const std::string& path = file.path;
  std::array<unsigned char, long_prefix_size> prefix{};
  if (file.size < npy_prefix_size) refuse_npy(path, "it is too short for an .npy file: truncated");
  file.read_at(0, std::as_writable_bytes(std::span(prefix).first(npy_prefix_size)));
  if (!std::equal(npy_magic.begin(), npy_magic.end(), prefix.begin(),
                  [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; }))
    refuse_npy(path, "it is not an .npy file");
  const unsigned version = prefix[6];
  if (version < 1 || version > 3 || prefix[7] != 0)
    refuse_npy(path, fmt::format("it has .npy version {}.{}, expected 1.0, 2.0 or 3.0", version,
                                 prefix[7]));
  const std::size_t begin = version == 1 ? npy_prefix_size : long_prefix_size;
  if (file.size < begin) refuse_npy(path, "it is too short for an .npy file: truncated");
  file.read_at(0, std::as_writable_bytes(std::span(prefix).first(begin)));
  std::size_t length = 0;
  for (std::size_t i = begin; i-- > 8;) length = length << 8 | prefix[i];
  if (length > file.size - begin) refuse_npy(path, "its header is truncated");
  if (length > longest_npy_header)
    refuse_npy(path,
               fmt::format("its header has {} bytes, the limit is {}", length, longest_npy_header));
  std::string header(length, '\0');
  file.read_at(begin, std::as_writable_bytes(std::span(header)));
  end = begin + length;
  return header;
}

}  // namespace

void refuse_npy(const std::string& path, std::string_view what) {
  throw FormatError(npy_operation,
                    fmt::format("{}: {}; save it again with numpy.save as an array of "
                                "float32 or float64",
                                path, what));
}

NpyBytes npy_bytes(std::span<const std::byte> bytes, const std::string& name) {
  return {.path = name,
          .size = bytes.size(),
          .read_at = [bytes](std::uint64_t offset, std::span<std::byte> out) {
            std::ranges::copy(bytes.subspan(offset, out.size()), out.begin());
          }};
}

std::vector<std::byte> in_c_order(std::span<const std::byte> data,
                                  std::span<const std::int64_t> shape, std::size_t element) {
  const std::size_t count = data.size() / element;
  std::vector<std::size_t> sizes;  // without sizes of 1, which change nothing
  for (const std::int64_t n : shape)
    if (n != 1) sizes.push_back(static_cast<std::size_t>(n));
  std::vector<std::byte> out(data.size());
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t rest = i, stride = count, from = 0;
    for (std::size_t d = sizes.size(); d-- > 0;) {
      stride /= sizes[d];
      from += rest % sizes[d] * stride;
      rest /= sizes[d];
    }
    std::memcpy(out.data() + i * element, data.data() + from * element, element);
  }
  return out;
}

NpyHeader read_npy_header(const NpyBytes& bytes, bool texts) {
  check_kind(bytes);
  std::uint64_t begin = 0;
  const std::string header = read_header(bytes, begin);
  NpyHeader parsed = parse_header(header, bytes.size - begin, texts, bytes.path);
  parsed.begin = begin;
  return parsed;
}

}  // namespace unroll::io
