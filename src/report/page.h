// The page of a report: one HTML text that needs no other file and no network.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace unroll::report {

/// The page that shows `data` (docs/report.md). `title` is plain text. `unrolled` is an SVG of the
/// network, or empty; all text in it must be escaped.
std::string page(const nlohmann::ordered_json& data, std::string_view title,
                 std::string_view unrolled);

/// The data as JSON in ASCII that HTML reads as text: the characters < > & are \u003c and so on.
/// Bytes that are not UTF-8 become U+FFFD.
std::string script_json(const nlohmann::ordered_json& data);

/// Whether a text starts like a page of page().
bool is_page(std::string_view text);

}  // namespace unroll::report
