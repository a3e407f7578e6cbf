// Checks where a command writes its output.
#pragma once

#include <initializer_list>
#include <string>

namespace unroll::run {

/// Throws ValueError if writing to `path` would destroy one of the command's inputs or a file of a
/// run. Throws it also for "-", which other programs take for stdout. Ignores inputs that are empty
/// or no file.
void check_output(const std::string& path, std::initializer_list<std::string> inputs);

}  // namespace unroll::run
