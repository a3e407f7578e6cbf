// How a table becomes the input of a model, and what the outputs are called.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace unroll::spec {

/// A column of a table that a model reads. It becomes one feature or several, in this order: the
/// number, or one feature for each text; then, with `marked`, 1 where the value is missing, else 0.
struct ColumnSpec {
  std::string name;
  /// The texts of a text column, sorted by bytes: each is a feature that is 1 where the column has
  /// this text, else 0. Empty: the column has numbers.
  std::vector<std::string> texts = {};
  bool marked = false;
  double fill = 0;  ///< stands for a missing number

  friend bool operator==(const ColumnSpec&, const ColumnSpec&) = default;
};

/// Columns are matched by name.
struct TableSpec {
  std::vector<ColumnSpec> columns = {};  ///< empty for tokens
  std::string words = {};                ///< the column of tokens; their texts are in TokenInput
  std::vector<std::string> target = {};  ///< names of what the model predicts
  std::string series = {}, time = {}, time_format = {}, group = {};  ///< columns; may be empty
  bool wide = false;                                                 ///< a row is a series
  bool fills = false;                    ///< a missing number is filled; else it is an error
  bool previous = false;                 ///< by the one before it, if there is one
  std::int64_t window = 0, stride = 0;   ///< 0: whole series
  char decimal = '.';                    ///< of numbers, or ','
  bool header = true;                    ///< false: columns are called 1, 2, ...
  std::vector<std::string> ignore = {};  ///< with `wide`: columns that are no steps, if they exist

  friend bool operator==(const TableSpec&, const TableSpec&) = default;
};

}  // namespace unroll::spec
