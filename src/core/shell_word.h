// Paths in commands that messages suggest.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

/// `text` as a word that a shell reads back: unchanged if possible, else in single quotes.
/// Characters that a terminal would act on are escaped as in bash, zsh and ksh: $'\x1b'.
std::string shell_word(std::string_view text);

}  // namespace unroll
