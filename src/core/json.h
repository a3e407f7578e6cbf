// JSON that comes from a file, within bounds.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace unroll {

/// The tree that a JSON text is. Refused are text that is not JSON in UTF-8, a key that an object
/// has twice (the parser itself would keep the last), nesting deeper than 32 (going through a deep
/// tree would use up the stack) and more than 1024 keys in one object (they are looked for one by
/// one). The length of the text is for the caller to bound.
///
/// `refuse` is called with what is wrong, and throws.
nlohmann::ordered_json parse_json(std::string_view text,
                                  const std::function<void(std::string_view why)>& refuse);

}  // namespace unroll
