// The text of `unroll --version`.
#pragma once

#include <string>

namespace unroll::app {

/// The version and everything else that determines the program's behaviour: commit, revision of the
/// numerics, instruction sets of this machine, libraries in use.
std::string version_text();

}  // namespace unroll::app
