// Paths in the commands that messages suggest.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

/// `text` as a shell reads it back: as it is where it can be, else in single quotes. What a
/// terminal would act on is spelt out, as bash, zsh and ksh read it: $'\x1b'.
std::string shell_word(std::string_view text);

}  // namespace unroll
