// What the program says on stderr besides its progress.
#pragma once

#include <string_view>

namespace unroll::app {

/// "unroll: TEXT", one line, whatever is in the text (core/printable.h). On a terminal its first
/// word is red, unless NO_COLOR is set (https://no-color.org) or TERM is "dumb". Never throws where
/// stderr can't be written to.
void say_error(std::string_view text);

/// The same with "note:", in yellow.
void say_note(std::string_view text);

}  // namespace unroll::app
