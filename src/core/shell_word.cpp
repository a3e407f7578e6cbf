#include "core/shell_word.h"

#include <algorithm>
#include <cctype>

#include "core/printable.h"

namespace unroll {
namespace {

bool is_plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
}

}  // namespace

std::string shell_word(std::string_view text) {
  if (!text.empty() && std::ranges::all_of(text, is_plain)) return std::string(text);
  const bool spelt = printable(text) != text;
  std::string inside;
  for (const char c : text) {
    if (c == '\'')
      inside += spelt ? "\\'" : "'\\''";
    else if (c == '\\' && spelt)
      inside += "\\\\";
    else
      inside += c;
  }
  return spelt ? "$'" + printable(inside) + "'" : "'" + inside + "'";
}

}  // namespace unroll
