// Texts in NumPy's arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace unroll::io {

/// An array of texts. Each different text is there once.
struct NpyTexts {
  std::vector<std::int64_t> shape;
  std::vector<std::string> texts;    ///< UTF-8, in the order of their first element
  std::vector<std::uint32_t> codes;  ///< of each element, row-major: an index into `texts`
};

/// Reads the bytes of an .npy file of texts: NumPy's characters (<U) or bytes (|S), which are
/// UTF-8. NUL at the end of a text is padding. Nothing if the array is of numbers. `name` is for
/// errors. Throws FormatError for damage, and for a text that is not Unicode.
std::optional<NpyTexts> npy_texts_of(std::span<const std::byte> bytes, const std::string& name);

}  // namespace unroll::io
