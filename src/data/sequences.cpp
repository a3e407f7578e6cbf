#include "data/sequences.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/parallel.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

/// Labels or targets: one of both, as many as there are sequences or steps.
void check_answers(std::string_view operation, const Sequences& s, std::int64_t steps) {
  if (s.targets.empty()) {
    if (s.labels.size() == s.lengths.size()) return;
    throw ShapeError(operation, fmt::format("{} sequences have {} labels, expected one each",
                                            s.lengths.size(), s.labels.size()));
  }
  if (!s.labels.empty())
    throw ValueError(operation, "the sequences have labels and targets, expected one of both");
  if (s.target_size < 1)
    throw ValueError(operation, fmt::format("target_size {}, expected at least 1", s.target_size));
  const auto expected = static_cast<std::size_t>(s.target_at_every_step ? steps : s.count());
  const auto size = static_cast<std::size_t>(s.target_size);
  if (s.targets.size() % size != 0 || s.targets.size() / size != expected)
    throw ShapeError(
        operation, fmt::format("{} targets, expected {} for each of {} {}", s.targets.size(), size,
                               expected, s.target_at_every_step ? "steps" : "sequences"));
}

/// Rows of `width` numbers, one for each step of the picked sequences: (N, T, width).
Tensor padded_rows(std::span<const float> rows, std::int64_t width, const Sequences& sequences,
                   std::span<const std::int64_t> starts, std::span<const Pick> picks, DType dtype) {
  const auto length_of = [&](const Pick& pick) {
    return sequences.lengths[static_cast<std::size_t>(pick.index)];
  };
  const std::int64_t longest = length_of(*std::ranges::max_element(picks, {}, length_of));
  const Tensor result =
      Tensor::empty({static_cast<std::int64_t>(picks.size()), longest, width}, dtype);
  dispatch("sequences", dtype, [&]<class T>(T*) {
    T* const all = result.data<T>();
    parallel(picks.size(), [&](std::size_t i) {
      const std::int64_t start = starts[static_cast<std::size_t>(picks[i].index)];
      T* const to = all + static_cast<std::int64_t>(i) * longest * width;
      T* const end = std::copy_n(rows.data() + start * width, length_of(picks[i]) * width, to);
      std::fill(end, to + longest * width, T{0});
    });
  });
  return result;
}

}  // namespace

void check_sequences(std::string_view operation, const Sequences& s) {
  const auto count_of = [](const auto& values) { return static_cast<std::int64_t>(values.size()); };
  if (s.lengths.empty()) throw ValueError(operation, "there are no sequences");
  if (s.features < 1)
    throw ValueError(operation, fmt::format("features {}, expected at least 1", s.features));
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
  check_answers(operation, s, steps);
}

std::vector<std::int64_t> starts_of(std::span<const std::int64_t> lengths) {
  std::vector<std::int64_t> starts(lengths.size());
  std::exclusive_scan(lengths.begin(), lengths.end(), starts.begin(), std::int64_t{0});
  return starts;
}

Tensor padded(const Sequences& sequences, std::span<const std::int64_t> starts,
              std::span<const Pick> picks, DType dtype) {
  return padded_rows(sequences.values, sequences.features, sequences, starts, picks, dtype);
}

Tensor padded_targets(const Sequences& sequences, std::span<const std::int64_t> starts,
                      std::span<const Pick> picks, DType dtype) {
  const std::int64_t size = sequences.target_size;
  if (sequences.target_at_every_step)
    return padded_rows(sequences.targets, size, sequences, starts, picks, dtype);
  const Tensor result = Tensor::empty({static_cast<std::int64_t>(picks.size()), size}, dtype);
  dispatch("sequences", dtype, [&]<class T>(T*) {
    T* to = result.data<T>();
    for (const Pick& pick : picks)
      to = std::copy_n(sequences.targets.data() + pick.index * size, size, to);
  });
  return result;
}

}  // namespace unroll::data
