#include "app/messages.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "app/terminal.h"
#include "core/printable.h"

namespace unroll::app {
namespace {

enum class Colour { red = 31, yellow = 33 };

/// An empty NO_COLOR counts as not set (https://no-color.org).
bool shows_colours() {
  const char* const refused = std::getenv("NO_COLOR");
  return can_redraw() && !(refused && *refused);
}

void say(Colour colour, std::string_view first, std::string_view text) {
  const std::string word = shows_colours()
                               ? fmt::format("\033[{}m{}\033[0m", static_cast<int>(colour), first)
                               : std::string(first);
  tell("{} {}\n", word, printable(text));
}

}  // namespace

void tell(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void say_error(std::string_view text) { say(Colour::red, "unroll:", text); }

void say_note(std::string_view text) { say(Colour::yellow, "note:", text); }

}  // namespace unroll::app
