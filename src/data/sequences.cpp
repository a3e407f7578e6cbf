#include "data/sequences.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/parallel.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::data {

void check_sequences(std::string_view operation, const Sequences& s) {
  const auto count_of = [](const auto& values) { return static_cast<std::int64_t>(values.size()); };
  if (s.lengths.empty()) throw ValueError(operation, "there are no sequences");
  if (s.features < 1)
    throw ValueError(operation, fmt::format("features {}, expected at least 1", s.features));
  if (s.labels.size() != s.lengths.size())
    throw ShapeError(operation, fmt::format("{} sequences have {} labels, expected one each",
                                            s.lengths.size(), s.labels.size()));
  // Count down the steps that are left, because a sum of lengths could overflow.
  const std::int64_t steps = count_of(s.values) / s.features;
  std::int64_t left = steps;
  for (std::int64_t k = 0; k < s.count(); ++k) {
    const std::int64_t length = s.lengths[static_cast<std::size_t>(k)];
    if (length < 1)
      throw ValueError(operation,
                       fmt::format("sequence {} has length {}, expected at least 1", k, length));
    if (length > left)
      throw ShapeError(operation, fmt::format("sequence {} has length {}, but only {} steps are "
                                              "left of {}",
                                              k, length, left, steps));
    left -= length;
  }
  if (left > 0 || count_of(s.values) % s.features != 0)
    throw ShapeError(operation, fmt::format("{} values, expected {} steps of {} features",
                                            s.values.size(), steps - left, s.features));
}

std::vector<std::int64_t> starts_of(std::span<const std::int64_t> lengths) {
  std::vector<std::int64_t> starts(lengths.size());
  std::exclusive_scan(lengths.begin(), lengths.end(), starts.begin(), std::int64_t{0});
  return starts;
}

Tensor padded(const Sequences& sequences, std::span<const std::int64_t> starts,
              std::span<const Pick> picks, DType dtype) {
  const auto length_of = [&](const Pick& pick) {
    return sequences.lengths[static_cast<std::size_t>(pick.index)];
  };
  const std::int64_t features = sequences.features;
  const std::int64_t longest = length_of(*std::ranges::max_element(picks, {}, length_of));
  const Tensor inputs =
      Tensor::empty({static_cast<std::int64_t>(picks.size()), longest, features}, dtype);
  dispatch("sequences", dtype, [&]<class T>(T*) {
    T* const all = inputs.data<T>();
    parallel(picks.size(), [&](std::size_t i) {
      const std::int64_t start = starts[static_cast<std::size_t>(picks[i].index)];
      T* const to = all + static_cast<std::int64_t>(i) * longest * features;
      T* const end = std::copy_n(sequences.values.data() + start * features,
                                 length_of(picks[i]) * features, to);
      std::fill(end, to + longest * features, T{0});
    });
  });
  return inputs;
}

}  // namespace unroll::data
