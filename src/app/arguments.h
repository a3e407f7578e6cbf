// Reading the words of a command line.
#pragma once

#include <span>
#include <string>

#include "app/command_entry.h"

namespace unroll::app {

/// What was asked for.
struct Request {
  enum class Kind { work, help, version };
  Kind kind;
  const CommandEntry* command;  ///< that was typed
};

/// Reads the words behind the program's name: the command, then its flags and arguments in any
/// order. Hands their values to the variables. Throws UsageError for every mistake: one line that
/// says what was typed and what to type instead.
Request read_arguments(CommandEntry& program, std::span<const std::string> words);

}  // namespace unroll::app
