// Pieces of C++ text: names, numbers, arrays.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::exporter {

/// C++ names for a model's weights: "rnn.weight_ih_l0" becomes rnn_weight_ih_l0. Nothing of a name
/// but ASCII letters and digits reaches the text.
class CppNames {
 public:
  /// A name that was not given before.
  std::string unique(std::string_view name);

 private:
  std::set<std::string> given_;
  std::map<std::string, int> next_;  // the number to try next for a name that was given
};

/// A number in hexadecimal, which every compiler reads to the last bit.
std::string literal(float value);

/// The definition of a constant array, a new line after each `row` of its numbers.
void append_array(std::string& text, std::string_view name, std::span<const float> numbers,
                  std::size_t row);
void append_array(std::string& text, std::string_view name, std::span<const std::int8_t> numbers,
                  std::size_t row);

/// (rows, columns) as (columns, rows).
template <class T>
std::vector<T> transposed(const std::vector<T>& matrix, std::size_t rows) {
  const std::size_t columns = matrix.size() / rows;
  std::vector<T> result;
  result.reserve(matrix.size());
  for (std::size_t column = 0; column < columns; ++column)
    for (std::size_t row = 0; row < rows; ++row) result.push_back(matrix[row * columns + column]);
  return result;
}

}  // namespace unroll::exporter
