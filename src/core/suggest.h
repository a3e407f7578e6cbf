// The known word nearest to a misspelt one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace unroll {

/// Whether two words differ only in upper and lower case, and in - and _: "Batch_Size",
/// "batchsize".
bool same_word(std::string_view a, std::string_view b);

/// The candidate that `given` was meant to be, or nothing if none is close. A candidate is close if
///
/// - it is the same word, or
/// - it is at most one edit away for every three letters of the longer word (letters that are
///   added, left out, replaced, or exchanged with their neighbour), or
/// - one word begins with the other ("epoch-count", "optim").
///
/// Only the first 64 letters of a long word count, and only the first 256 candidates whose length
/// is near: a file may have any number of names of any length.
std::string_view nearest_word(std::string_view given, std::span<const std::string_view> candidates);

/// "; did you mean NAME?" for the nearest word, or an empty text.
std::string did_you_mean(std::string_view given, std::span<const std::string_view> candidates);

}  // namespace unroll
