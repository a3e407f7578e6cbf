// Prints foreign text (names of tensors and files, values of a configuration) safely on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace unroll {

/// `text` as one line that a terminal only shows. Control characters (\n, \x1b, \u009b), bytes that
/// are not UTF-8 (\xff) and marks that change the direction of writing (\u202e) are escaped. Error
/// applies it to its texts, so messages need not.
std::string printable(std::string_view text);

bool is_utf8(std::string_view text);

/// printable() in quotes. A text of more than `longest` bytes is cut.
std::string in_quotes(std::string_view text, std::size_t longest = 100);

}  // namespace unroll
