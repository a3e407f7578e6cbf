// The program's command line.
#pragma once

namespace unroll::app {

/// Parses the arguments, does the work, and returns the exit code. Results go to stdout, all else
/// to stderr.
int run(int argc, const char* const* argv);

}  // namespace unroll::app
