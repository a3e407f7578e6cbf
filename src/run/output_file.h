// Where a command may write.
#pragma once

#include <initializer_list>
#include <string>

namespace unroll::run {

/// Throws ValueError where writing to `path` would destroy one of the files that the command reads,
/// or a file of a run's folder; and for "-", which other programs take for stdout. What is empty in
/// `inputs`, or no file, can't be destroyed.
void check_output(const std::string& path, std::initializer_list<std::string> inputs);

}  // namespace unroll::run
