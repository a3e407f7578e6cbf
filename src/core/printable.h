// Text that others wrote (names of tensors and files, values of a configuration) on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

/// `text` as one line that a terminal only shows: control characters (\n, \x1b, \u009b), bytes that
/// are not UTF-8 (\xff), and marks that turn the direction of writing (\u202e) are spelt out. All
/// else stays. What Error is made from goes through it, so that no message needs to.
std::string printable(std::string_view text);

bool is_utf8(std::string_view text);

/// The same as printable in quotes, and no longer than a name should be.
std::string in_quotes(std::string_view name);

}  // namespace unroll
