#include "data/series_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <tuple>

#include "core/printable.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

/// The description of a model has at most 1 MiB; this leaves room for the rest of it.
constexpr std::size_t kMostTextBytes = 900'000;

/// The texts of a series.
std::span<const float> words_of(const Recordings& recordings, std::span<const std::int64_t> starts,
                                std::int64_t series) {
  const auto k = static_cast<std::size_t>(series);
  return std::span(recordings.values)
      .subspan(static_cast<std::size_t>(starts[k]),
               static_cast<std::size_t>(recordings.lengths[k]));
}

void check_words(const Recordings& recordings) {
  if (recordings.columns.size() != 1 || !recordings.columns[0].is_text())
    throw ValueError("words", fmt::format("{} has {} columns, expected one of words",
                                          printable(recordings.name), recordings.columns.size()));
}

}  // namespace

std::int64_t SeriesTokens::token(float text) const {
  return std::isnan(text) ? 0 : token_of[static_cast<std::size_t>(text)];
}

std::int64_t SeriesTokens::count_unknown(const Recordings& recordings,
                                         std::span<const std::int64_t> starts,
                                         const SeriesPart& part) const {
  std::int64_t count = 0;
  for (const std::int64_t k : part.series)
    count += std::ranges::count_if(words_of(recordings, starts, k),
                                   [&](float text) { return token(text) == 0; });
  return count;
}

SeriesTokens tokens_of(const Recordings& recordings, std::span<const std::int64_t> starts,
                       const SeriesPart& train, std::int64_t most) {
  check_words(recordings);
  const std::vector<std::string>& texts = recordings.columns[0].texts;
  std::vector<std::int64_t> counts(texts.size());
  for (const std::int64_t k : train.series)
    for (const float text : words_of(recordings, starts, k))
      if (!std::isnan(text)) ++counts[static_cast<std::size_t>(text)];
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (counts[i] > 0 && texts[i] != SeriesTokens::unknown) order.push_back(i);
  std::ranges::sort(
      order, {}, [&](std::size_t i) { return std::tuple(-counts[i], std::string_view(texts[i])); });
  order.resize(std::min(order.size(), static_cast<std::size_t>(most)));
  SeriesTokens tokens{.vocabulary = {SeriesTokens::unknown},
                      .token_of = std::vector<std::int64_t>(texts.size()),
                      .once = {false}};
  std::size_t bytes = 0;
  for (const std::size_t i : order) {
    tokens.token_of[i] = std::ssize(tokens.vocabulary);
    tokens.vocabulary.push_back(texts[i]);
    tokens.once.push_back(counts[i] == 1);
    bytes += texts[i].size() + 3;  // quotes and a comma
  }
  if (bytes > kMostTextBytes)
    throw ValueError("vocabulary",
                     fmt::format("{} words have {} bytes, expected at most {}, because the model "
                                 "file keeps them; give a smaller --vocabulary",
                                 order.size(), bytes, kMostTextBytes));
  return tokens;
}

SeriesTokens tokens_for(const Recordings& recordings, const spec::TokenInput& input) {
  check_words(recordings);
  if (input.vocabulary.empty())
    throw ValueError("data", "the model reads tokens but has no vocabulary; give it numbers");
  std::map<std::string_view, std::int64_t> known;
  for (std::size_t i = 0; i < input.vocabulary.size(); ++i)
    known.emplace(input.vocabulary[i], static_cast<std::int64_t>(i));
  SeriesTokens tokens{.vocabulary = input.vocabulary, .token_of = {}, .once = {}};
  for (const std::string& text : recordings.columns[0].texts) {
    const auto found = known.find(text);
    tokens.token_of.push_back(found == known.end() ? 0 : found->second);
  }
  tokens.once.resize(tokens.vocabulary.size());
  return tokens;
}

}  // namespace unroll::data
