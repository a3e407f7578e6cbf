// The functions that an exported C++ header computes with.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace unroll::exporter {

/// The C++ text of the functions so named and of those that they call, each once, callees first.
std::string cpp_functions(std::set<std::string_view> names);

}  // namespace unroll::exporter
