// What the program says on stderr besides its progress.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace unroll::app {

/// Text on stderr. A stderr that can't be written to, as after the terminal is gone, is no reason
/// to end: it never throws.
void tell(std::string_view text);
template <class... T>
void tell(fmt::format_string<T...> format, T&&... values) requires(sizeof...(T) > 0) {
  tell(std::string_view(fmt::format(format, std::forward<T>(values)...)));
}

/// "unroll: TEXT", one line, whatever is in the text (core/printable.h). On a terminal its first
/// word is red, unless NO_COLOR is set (https://no-color.org) or TERM is "dumb".
void say_error(std::string_view text);

/// The same with "note:", in yellow.
void say_note(std::string_view text);

}  // namespace unroll::app
