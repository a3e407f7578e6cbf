// JSON as events, for readers that need no tree. All of them share one parser.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace unroll {

using JsonEvents = nlohmann::json_sax<nlohmann::ordered_json>;

/// Reports the parts of a text to `events` one after the other, or an error to its parse_error(). A
/// NUL ends the text; the rest is ignored.
void read_json(std::string_view text, JsonEvents& events);

}  // namespace unroll
