// Numbers as texts of files have them.
#pragma once

#include <string_view>

namespace unroll::data {

enum class NumberFault {
  none,
  not_a_number,
  too_large,  ///< beyond the range of f32
  too_small,  ///< not 0, but nearer to 0 than every f32
};

struct NumberText {
  float value = 0;
  NumberFault fault = NumberFault::none;
};

/// The number that a whole text spells, in decimal with a point: "-1.5", "+3", "1e-3". Not "inf",
/// "nan", "0x10" or "1,5". Rounded to f64, then once to f32: the same on every machine.
NumberText number_of(std::string_view text);

/// "a number" and its like: what was expected in place of a text with this fault.
std::string_view expected_number(NumberFault fault);

/// `text` without blanks and tabs at both ends.
std::string_view trimmed(std::string_view text);

}  // namespace unroll::data
