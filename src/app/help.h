// The text of --help.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "app/command_entry.h"

namespace unroll::app {

/// Breaks `text` at blanks, to lines of at most 80 columns. All lines but the first start at the
/// column `left`.
std::string wrapped_text(std::string_view text, std::size_t left);

/// "unroll eval MODEL [DATASET] [FLAGS]"
std::string usage_of(const CommandEntry& command);

/// "-o, --out FILE"
std::string typed_form(const OptionEntry& option);

/// The sentence on it, with the default if it shows one.
std::string help_of(const OptionEntry& option);

/// Lines of at most 80 characters, but for long words.
std::string help_text(const CommandEntry& command);

}  // namespace unroll::app
