// Completions of the command line: each function prints a script for one shell.
#pragma once

#include "app/command_entry.h"

namespace unroll::app {

void print_bash_completion(const CommandEntry& program);
void print_zsh_completion(const CommandEntry& program);
void print_fish_completion(const CommandEntry& program);

}  // namespace unroll::app
