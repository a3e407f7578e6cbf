// A line of --json.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace unroll::app {

/// The object as one line of ASCII. The name of a folder need not be UTF-8, but JSON has to be:
/// other bytes become U+FFFD.
std::string json_line(const nlohmann::ordered_json& object);

}  // namespace unroll::app
