// What the text of one field of a table means.
#pragma once

#include <string_view>

namespace unroll::data {

enum class ValueKind {
  missing,
  number,
  boolean,
  out_of_range,  // written as a number, but too large or too small for one
  text,
};

struct TableValue {
  ValueKind kind = ValueKind::text;
  float number = 0;  // of a number; 1 or 0 of a boolean
};

/// The meaning of a field. Blanks around it do not count. `decimal` is '.' or ','. Numbers are read
/// as double and rounded once to float.
TableValue table_value(std::string_view text, char decimal);

bool is_missing(std::string_view text);

/// Without the blanks and tabs at its ends.
std::string_view without_blanks(std::string_view text);

}  // namespace unroll::data
