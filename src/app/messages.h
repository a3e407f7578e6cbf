// Errors and notes on stderr.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace unroll::app {

/// Prints text to stderr. It never throws: a stderr that can't be written to, as after the terminal
/// closed, must not end the program.
void tell(std::string_view text);
template <class... T>
void tell(fmt::format_string<T...> format, T&&... values) requires(sizeof...(T) > 0) {
  tell(std::string_view(fmt::format(format, std::forward<T>(values)...)));
}

/// Prints "unroll: TEXT" as one line, whatever characters the text has (core/printable.h). On a
/// terminal the first word is red, unless NO_COLOR is set (https://no-color.org) or TERM is "dumb".
void say_error(std::string_view text);

/// Prints "note: TEXT" in the same way, with a yellow first word.
void say_note(std::string_view text);

}  // namespace unroll::app
