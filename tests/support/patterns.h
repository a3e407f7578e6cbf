// Texts against regular expressions (ECMAScript's). <regex> costs seconds wherever it is included,
// so one file has it for all tests.
#pragma once

#include <string>
#include <vector>

namespace unroll::test {

/// Whether all of the text is what the pattern says.
bool matches(const std::string& text, const std::string& pattern);

/// The first place in the text that is what the pattern says, and its groups behind it; nothing
/// where there is none.
std::vector<std::string> search(const std::string& text, const std::string& pattern);

/// All such places, without groups.
std::vector<std::string> search_all(const std::string& text, const std::string& pattern);

}  // namespace unroll::test
