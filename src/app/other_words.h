// What to type instead of a word that is not known.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace unroll::app {

/// A flag, command or value as other libraries call it, and as Unroll does.
struct OtherWord {
  std::string_view theirs, ours;
};
std::span<const OtherWord> other_words();

/// "; did you mean --lr?" for the candidate that other libraries call `given`, or else the one that
/// is spelt similarly; empty if there is none. `before` stands before the candidate.
std::string suggestion(std::string_view given, std::span<const std::string_view> candidates,
                       std::string_view before = "");

/// Why Unroll has no such flag, for flags that other libraries have; empty for others.
std::string why_not(std::string_view flag);

}  // namespace unroll::app
