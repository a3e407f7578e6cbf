// Writes pieces of C++ text: names, numbers, arrays.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::exporter {

/// Makes C++ names for a model's weights: "rnn.weight_ih_l0" becomes rnn_weight_ih_l0. A C++ name
/// has only ASCII letters, digits and underscores, whatever the weight's name is.
class CppNames {
 public:
  /// A C++ name that this object has not returned before.
  std::string unique(std::string_view name);

 private:
  std::set<std::string> given_;
  std::map<std::string, int> next_;  // the next number to append to a name
};

/// A number in hexadecimal: every compiler reads exactly the same bits.
std::string literal(float value);

/// Appends the definition of a constant array, with a new line after every `row` numbers.
void append_array(std::string& text, std::string_view name, std::span<const float> numbers,
                  std::size_t row);
void append_array(std::string& text, std::string_view name, std::span<const std::int8_t> numbers,
                  std::size_t row);

/// The transpose of a matrix (rows, columns).
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
