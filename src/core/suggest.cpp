#include "core/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace unroll {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string did_you_mean(std::string_view given, std::span<const std::string_view> candidates) {
  // Longer than anybody misspells, and more than anybody chooses from: a file may have any number
  // of names of any length.
  constexpr std::size_t kLongest = 64, kMost = 256;
  given = given.substr(0, kLongest);
  std::string_view nearest;
  std::size_t smallest = std::max<std::size_t>(2, given.size() / 2) + 1;
  std::size_t compared = 0;
  for (const std::string_view candidate : candidates) {
    const std::size_t longer = std::max(given.size(), candidate.size()),
                      shorter = std::min(given.size(), candidate.size());
    if (longer - shorter >= smallest) continue;  // so many letters must be added
    if (++compared > kMost) break;
    const std::size_t distance = edit_distance(given, candidate);
    if (distance < smallest) {
      smallest = distance;
      nearest = candidate;
    }
  }
  return nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest);
}

}  // namespace unroll
