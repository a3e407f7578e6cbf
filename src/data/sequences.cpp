#include "data/sequences.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/parallel.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::data {
namespace {

/// Labels or targets: one of both, as many as there are sequences or steps.
void check_answers(std::string_view operation, const Sequences& s, std::int64_t steps) {
  const auto expected = static_cast<std::size_t>(s.every_step ? steps : s.count());
  const std::string_view of = s.every_step ? "steps" : "sequences";
  if (s.targets.empty()) {
    if (s.labels.size() == expected) return;
    throw ShapeError(operation, fmt::format("{} {} have {} labels, expected one each", expected, of,
                                            s.labels.size()));
  }
  if (!s.labels.empty())
    throw ValueError(operation, "the sequences have labels and targets, expected one of both");
  if (s.target_size < 1)
    throw ValueError(operation, fmt::format("target_size {}, expected at least 1", s.target_size));
  const auto size = static_cast<std::size_t>(s.target_size);
  if (s.targets.size() % size != 0 || s.targets.size() / size != expected)
    throw ShapeError(operation, fmt::format("{} targets, expected {} for each of {} {}",
                                            s.targets.size(), size, expected, of));
}

/// `width` numbers for each step of the picked sequences: (N, T, width), with `padding` past the
/// end of a sequence.
template <class T, class From>
void pad(T* all, std::int64_t longest, std::span<const From> steps, std::int64_t width,
         std::span<const std::int64_t> lengths, std::span<const std::int64_t> starts,
         std::span<const Pick> picks, T padding) {
  parallel(picks.size(), [&](std::size_t i) {
    const auto index = static_cast<std::size_t>(picks[i].index);
    T* const to = all + static_cast<std::int64_t>(i) * longest * width;
    T* const end = std::copy_n(steps.data() + starts[index] * width, lengths[index] * width, to);
    std::fill(end, to + longest * width, padding);
  });
}

std::int64_t longest_of(const Sequences& sequences, std::span<const Pick> picks) {
  std::int64_t longest = 0;
  for (const Pick& pick : picks)
    longest = std::max(longest, sequences.lengths[static_cast<std::size_t>(pick.index)]);
  return longest;
}

/// (N, T, width) of f32 or f64, padded with 0.
Tensor padded_numbers(const Sequences& sequences, const std::vector<float>& numbers,
                      std::int64_t width, std::span<const std::int64_t> starts,
                      std::span<const Pick> picks, DType dtype) {
  const std::int64_t longest = longest_of(sequences, picks);
  const Tensor result =
      Tensor::empty({static_cast<std::int64_t>(picks.size()), longest, width}, dtype);
  dispatch("sequences", dtype, [&]<class T>(T*) {
    pad(result.data<T>(), longest, std::span(numbers), width, sequences.lengths, starts, picks,
        T{0});
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
  return padded_numbers(sequences, sequences.values, sequences.features, starts, picks, dtype);
}

Tensor padded_answers(const Sequences& sequences, std::span<const std::int64_t> starts,
                      std::span<const Pick> picks, DType dtype) {
  const auto count = static_cast<std::int64_t>(picks.size());
  const std::int64_t size = sequences.target_size;
  const bool classes = sequences.targets.empty();
  if (classes && sequences.every_step) {
    const std::int64_t longest = longest_of(sequences, picks);
    const Tensor labels = Tensor::empty({count, longest}, DType::i64);
    pad(labels.data<std::int64_t>(), longest, std::span(sequences.labels), 1, sequences.lengths,
        starts, picks, no_target);
    return labels;
  }
  if (classes) {
    const Tensor labels = Tensor::empty({count}, DType::i64);
    std::ranges::transform(picks, labels.data<std::int64_t>(), [&](const Pick& pick) {
      return sequences.labels[static_cast<std::size_t>(pick.index)];
    });
    return labels;
  }
  if (sequences.every_step)
    return padded_numbers(sequences, sequences.targets, size, starts, picks, dtype);
  const Tensor targets = Tensor::empty({count, size}, dtype);
  dispatch("sequences", dtype, [&]<class T>(T*) {
    T* to = targets.data<T>();
    for (const Pick& pick : picks)
      to = std::copy_n(sequences.targets.data() + pick.index * size, size, to);
  });
  return targets;
}

}  // namespace unroll::data
