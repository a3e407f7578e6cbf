// The program's command line.
#pragma once

#include <functional>

namespace unroll::app {

/// Parses the arguments, does the work, and returns the exit code. Results go to stdout, all else
/// to stderr.
int run(int argc, const char* const* argv);

/// Does the work of a command. Prints an exception that ends it. Returns the exit code.
int finish_work(const std::function<int()>& work);

}  // namespace unroll::app
