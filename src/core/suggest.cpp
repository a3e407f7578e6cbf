#include "core/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

namespace unroll {
namespace {

char plain_letter(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c == '_' ? '-' : c;
}

std::string plain_word(std::string_view word) {
  std::string result(word);
  std::ranges::transform(result, result.begin(), plain_letter);
  return result;
}

/// Optimal string alignment: every edit costs 1, an exchange of neighbours too.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j - 1] + (a[i - 1] != b[j - 1]), last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last.back();
}

/// One word begins with the other: with at least three of its letters and half of the longer word,
/// or up to a dash.
bool begins_with(std::string_view longer, std::string_view shorter) {
  if (shorter.size() < 3 || !longer.starts_with(shorter) || longer == shorter) return false;
  return shorter.size() * 2 >= longer.size() || longer[shorter.size()] == '-';
}

/// The smaller, the closer; nothing if the words are not close. Both are plain.
std::optional<std::size_t> gap_between(std::string_view a, std::string_view b) {
  const auto [shorter, longer] =
      std::minmax(a, b, [](auto x, auto y) { return x.size() < y.size(); });
  const std::size_t most = longer.size() / 3;
  if (longer.size() - shorter.size() <= most)
    if (const std::size_t distance = edit_distance(a, b); distance <= most) return distance;
  if (a.size() == 2 && b.size() == 2 && a[0] == b[1] && a[1] == b[0]) return 1;
  if (begins_with(longer, shorter)) return most + 1;
  return {};
}

}  // namespace

bool same_word(std::string_view a, std::string_view b) {
  std::string first = plain_word(a), second = plain_word(b);
  std::erase(first, '-');
  std::erase(second, '-');
  return first == second;
}

std::string_view nearest_word(std::string_view given,
                              std::span<const std::string_view> candidates) {
  constexpr std::size_t kLongest = 64, kMost = 256;
  const std::string word = plain_word(given.substr(0, kLongest));
  std::string_view nearest;
  std::size_t smallest = 2 * kLongest;
  std::size_t compared = 0;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > 2 * std::max<std::size_t>(word.size(), 8)) continue;
    if (++compared > kMost) break;
    const std::optional<std::size_t> gap = gap_between(word, plain_word(candidate));
    if (!gap || *gap >= smallest) continue;
    smallest = *gap;
    nearest = candidate;
  }
  return nearest;
}

std::string did_you_mean(std::string_view given, std::span<const std::string_view> candidates) {
  const std::string_view nearest = nearest_word(given, candidates);
  return nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest);
}

}  // namespace unroll
