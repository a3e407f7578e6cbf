// JSON from a file, within bounds.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace unroll {

/// Parses a JSON text into a tree. The caller must limit the length of the text. Refuses
/// - text that is not JSON in UTF-8,
/// - a repeated key in an object (the parser itself would keep the last one),
/// - nesting deeper than 32 (visiting a deep tree would exhaust the stack),
/// - more than 1024 keys in one object (lookup is linear).
///
/// Calls `refuse` with the error; it must throw.
nlohmann::ordered_json parse_json(std::string_view text,
                                  const std::function<void(std::string_view why)>& refuse);

}  // namespace unroll
