// What `unroll --version` says.
#pragma once

#include <string>

namespace unroll::app {

/// The version, and what else decides how the program behaves: the commit, the revision of the
/// numerics, the instruction sets of this machine, the libraries in use.
std::string version_text();

}  // namespace unroll::app
