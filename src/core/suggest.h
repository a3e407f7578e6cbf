// The known name nearest to a misspelt one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace unroll {

/// "; did you mean NAME?" for the nearest candidate by edit distance, or an empty text where none
/// is near. Of a long text the first 64 letters count, and of many candidates the first 256 whose
/// length is near.
std::string did_you_mean(std::string_view given, std::span<const std::string_view> candidates);

}  // namespace unroll
