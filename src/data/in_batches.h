// All samples of a part, one batch after the other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/source.h"

namespace unroll::data {

/// Calls f(examples) for each batch of some samples of a part, in their order. A batch has
/// Source::test_batch() samples, the last one may have fewer. Passes on what batch() throws.
template <class F>
void in_batches(const Source& source, Split part, std::span<const std::int64_t> samples,
                DType dtype, F&& f) {
  const auto at_once = static_cast<std::size_t>(source.test_batch());
  std::vector<Pick> picks;
  Examples examples;
  for (std::size_t first = 0; first < samples.size(); first += at_once) {
    picks.clear();
    for (const std::int64_t i : samples.subspan(first, std::min(at_once, samples.size() - first)))
      picks.push_back({i});
    source.batch(part, picks, dtype, examples);
    f(examples);
  }
}

/// Calls f(examples) for each batch of a part, in the order of the samples. A batch has
/// Source::test_batch() samples, the last one may have fewer. Passes on what batch() throws.
template <class F>
void in_batches(const Source& source, Split part, DType dtype, F&& f) {
  const std::int64_t total = source.size(part), at_once = source.test_batch();
  std::vector<Pick> picks;
  Examples examples;
  for (std::int64_t first = 0; first < total; first += at_once) {
    picks.clear();
    for (std::int64_t i = first; i < std::min(total, first + at_once); ++i) picks.push_back({i});
    source.batch(part, picks, dtype, examples);
    f(examples);
  }
}

}  // namespace unroll::data
