#include "io/npy_texts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "core/printable.h"
#include "io/array_index.h"
#include "io/npy_header.h"
#include "unroll/core/error.h"

namespace unroll::io {
namespace {

void append_utf8(std::string& text, std::uint32_t c) {
  const auto byte = [&](std::uint32_t bits) { text.push_back(static_cast<char>(bits)); };
  const auto tail = [&](int shift) { byte(0x80 | (c >> shift & 0x3f)); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) {
    byte(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      byte(0xe0 | c >> 12);
    } else {
      byte(0xf0 | c >> 18);
      tail(12);
    }
    tail(6);
  }
  tail(0);
}

/// The text of an element; false if it is not Unicode.
bool read_text(const NpyElements& elements, const std::byte* place, std::string& text) {
  text.clear();
  if (elements.kind == 'S') {
    const std::string_view all(reinterpret_cast<const char*>(place), elements.size);
    text = all.substr(0, all.find_last_not_of('\0') + 1);
    return is_utf8(text);
  }
  for (std::size_t at = 0; at < elements.size; at += sizeof(std::uint32_t)) {
    std::uint32_t c = 0;
    std::memcpy(&c, place + at, sizeof c);
    if (elements.swapped) c = __builtin_bswap32(c);
    constexpr std::uint32_t kLast = 0x10ffff;
    if (c > kLast || (c >= 0xd800 && c < 0xe000)) return false;
    append_utf8(text, c);
  }
  text.resize(text.find_last_not_of('\0') + 1);
  return true;
}

}  // namespace

std::optional<NpyTexts> npy_texts_of(std::span<const std::byte> bytes, const std::string& name) {
  NpyHeader header = read_npy_header(npy_bytes(bytes, name), true);
  const NpyElements& elements = header.elements;
  if (!elements.is_text()) return {};
  std::span<const std::byte> data = bytes.subspan(header.begin);
  std::vector<std::byte> ordered;
  if (header.fortran_order) {
    ordered = in_c_order(data, header.shape, elements.size);
    data = ordered;
  }
  NpyTexts result;
  std::unordered_map<std::string, std::uint32_t> codes;
  std::string text;
  const std::size_t count = data.size() / elements.size;
  result.codes.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!read_text(elements, data.data() + i * elements.size, text))
      throw FormatError(
          npy_operation,
          fmt::format("{}: the text {} is not Unicode; save it with numpy.array(..., dtype=str)",
                      name, index_text(i, header.shape)));
    const auto [found, is_new] =
        codes.emplace(text, static_cast<std::uint32_t>(result.texts.size()));
    if (is_new) result.texts.push_back(text);
    result.codes.push_back(found->second);
  }
  result.shape = std::move(header.shape);
  return result;
}

}  // namespace unroll::io
