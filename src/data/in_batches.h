// All samples of a part, one batch after the other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <vector>

#include "data/source.h"

namespace unroll::data {

/// Calls f(examples) for each batch of `count` samples of a part; sample(k) is the index of the
/// k-th. A batch has Source::test_batch() samples, the last one may have fewer. Passes on what
/// batch() throws.
template <class Sample, class F>
void in_batches(const Source& source, Split part, std::int64_t count, Sample&& sample, DType dtype,
                F&& f) {
  const std::int64_t at_once = source.test_batch();
  std::vector<Pick> picks;
  Examples examples;
  for (std::int64_t first = 0; first < count; first += at_once) {
    picks.clear();
    for (std::int64_t k = first; k < std::min(count, first + at_once); ++k)
      picks.push_back({sample(k)});
    source.batch(part, picks, dtype, examples);
    f(examples);
  }
}

/// The same for some samples, in their order.
template <class F>
void in_batches(const Source& source, Split part, std::span<const std::int64_t> samples,
                DType dtype, F&& f) {
  in_batches(
      source, part, std::ssize(samples),
      [&](std::int64_t k) { return samples[static_cast<std::size_t>(k)]; }, dtype, f);
}

/// The same for all samples of the part.
template <class F>
void in_batches(const Source& source, Split part, DType dtype, F&& f) {
  in_batches(
      source, part, source.size(part), [](std::int64_t k) { return k; }, dtype, f);
}

}  // namespace unroll::data
