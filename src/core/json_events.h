// A JSON text as events, for readers that need no tree. There is one parser for all of them.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace unroll {

using JsonEvents = nlohmann::json_sax<nlohmann::ordered_json>;

/// Tells `events` what a text has, one thing after the other, or its parse_error(). A NUL ends the
/// text, whatever follows it.
void read_json(std::string_view text, JsonEvents& events);

}  // namespace unroll
