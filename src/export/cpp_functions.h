// The arithmetic functions of exported C++ headers.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace unroll::exporter {

/// The C++ text of the named functions and of the functions that they call, each once, callees
/// first.
std::string cpp_functions(std::set<std::string_view> names);

}  // namespace unroll::exporter
