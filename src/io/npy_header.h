// The header of .npy files: the type, the shape and the order of an array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::io {

inline constexpr std::string_view npy_operation = "npy";
inline constexpr std::string_view npy_magic = "\x93NUMPY";
/// The bytes before the header's text: magic, version, and the length of the text in two bytes.
inline constexpr std::size_t npy_prefix_size = 10;
inline constexpr std::size_t longest_npy_header = 0xffff;

/// The bytes of an array, in a file or in memory.
struct NpyBytes {
  std::string path;  ///< for errors
  std::uint64_t size = 0;
  std::function<void(std::uint64_t offset, std::span<std::byte> out)> read_at;
};

/// `bytes` must outlive the result.
NpyBytes npy_bytes(std::span<const std::byte> bytes, const std::string& name);

/// Type of the elements: NumPy's letter for the kind, the size in bytes, and the byte order.
struct NpyElements {
  char kind = 'f';  ///< f: floats, i and u: integers, b: booleans, S: bytes, U: characters
  std::size_t size = 4;
  bool swapped = false;  ///< big-endian

  bool is_text() const { return kind == 'S' || kind == 'U'; }
};

struct NpyHeader {
  NpyElements elements;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  ///< of the data, which has the size that shape and elements need
};

/// Throws FormatError for another file, a type that can't be read, or damage. Texts can be read
/// only if `texts` is true.
NpyHeader read_npy_header(const NpyBytes& bytes, bool texts = false);

/// Puts elements of Fortran order (first index fastest) in C order (last index fastest).
std::vector<std::byte> in_c_order(std::span<const std::byte> data,
                                  std::span<const std::int64_t> shape, std::size_t element);

/// Throws FormatError: save it again, as numbers.
[[noreturn]] void refuse_npy(const std::string& path, std::string_view what);

}  // namespace unroll::io
