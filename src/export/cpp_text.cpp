#include "export/cpp_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "export/cpp_header.h"

namespace unroll::exporter {
namespace {

// ASCII only: the functions of <cctype> depend on the locale.
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string text_of(float value) { return literal(value); }
std::string text_of(std::int8_t value) { return fmt::format("{}", value); }

template <class T>
void append(std::string& text, std::string_view type, std::string_view name,
            std::span<const T> numbers, std::size_t row) {
  constexpr std::size_t kWidth = 100;
  text += fmt::format("inline constexpr {} {}[{}] = {{", type, name, numbers.size());
  std::size_t column = kWidth;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::string number = text_of(numbers[i]) + ",";
    if (i % row == 0 || column + number.size() + 1 > kWidth) {
      text += "\n   ";
      column = 3;
    }
    text += " " + number;
    column += number.size() + 1;
  }
  text += "\n};\n";
}

}  // namespace

bool is_cpp_name(std::string_view name) {
  return !name.empty() && is_letter(name.front()) && name.find("__") == std::string_view::npos &&
         std::ranges::all_of(name,
                             [](char c) { return is_letter(c) || is_digit(c) || c == '_'; }) &&
         !is_taken_cpp_name(name);
}

std::string CppNames::unique(std::string_view name) {
  std::string id;
  for (const char c : name) {
    if (is_letter(c) || is_digit(c))
      id += c;
    else if (!id.empty() && id.back() != '_')
      id += '_';
  }
  while (!id.empty() && id.back() == '_') id.pop_back();
  if (id.empty() || is_digit(id.front())) id.insert(0, "layer");
  std::string result = id;
  // Continue with the number after the last one used for this name.
  for (int& i = next_.try_emplace(id, 2).first->second; !given_.insert(result).second; ++i)
    result = fmt::format("{}_{}", id, i);
  return result;
}

std::string literal(float value) { return fmt::format("{:a}f", value); }

void append_array(std::string& text, std::string_view name, std::span<const float> numbers,
                  std::size_t row) {
  append(text, "float", name, numbers, row);
}

void append_array(std::string& text, std::string_view name, std::span<const std::int8_t> numbers,
                  std::size_t row) {
  append(text, "int8_t", name, numbers, row);
}

}  // namespace unroll::exporter
