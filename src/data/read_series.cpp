#include "unroll/data/read_series.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <variant>

#include "data/recordings.h"
#include "data/series_source.h"
#include "data/source.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

/// Appends the first `width` numbers of each step of sample `n`, which has `steps` steps.
template <class T>
void append(std::vector<T>& to, const Tensor& batch, std::int64_t n, std::int64_t steps,
            std::int64_t width) {
  const T* const from = batch.data<T>() + n * (batch.numel() / batch.size(0));
  to.insert(to.end(), from, from + steps * width);
}

Sequences sequences_of(const Source& source, Split part, std::int64_t features,
                       const TargetSpec& target) {
  Sequences result;
  result.features = features;
  result.every_step = target.every_step();
  if (target.has_values()) result.target_size = target.size;
  Examples examples;
  std::vector<Pick> picks;
  for (std::int64_t first = 0; first < source.size(part); first += source.test_batch()) {
    picks.clear();
    const std::int64_t end = std::min(first + source.test_batch(), source.size(part));
    for (std::int64_t index = first; index < end; ++index) picks.push_back({index});
    source.batch(part, picks, DType::f32, examples);
    for (std::int64_t n = 0; n < examples.inputs.size(0); ++n) {
      const std::int64_t steps = examples.lengths.empty()
                                     ? examples.inputs.size(1)
                                     : examples.lengths[static_cast<std::size_t>(n)];
      const std::int64_t answers = result.every_step ? steps : 1;
      result.lengths.push_back(steps);
      append(result.values, examples.inputs, n, steps, features);
      if (target.has_values())
        append(result.targets, examples.targets, n, answers, target.size);
      else
        append(result.labels, examples.targets, n, answers, 1);
    }
  }
  return result;
}

}  // namespace

Series read_series(const std::string& path, const SeriesSettings& settings) {
  if (settings.log)
    throw ValueError("data", fmt::format("{}: read_series() gives raw values, which standardize() "
                                         "does not take the logarithm of; leave `log` out",
                                         path));
  const std::shared_ptr<const Source> source = series_source(read_recordings(path, settings));
  const spec::InputSpec input = source->input();
  const auto* const series = std::get_if<spec::SeriesInput>(&input);
  if (!series)
    throw ValueError("data", fmt::format("{}: column {} has words, expected series of numbers; "
                                         "train on words with the program",
                                         path, source->series_settings()->words));
  const TargetSpec target = source->target();
  const auto part = [&](Split split) {
    return sequences_of(*source, split, series->features, target);
  };
  return {.train = part(Split::train),
          .validation = part(Split::validation),
          .test = part(Split::test),
          .input = *series,
          .targets = target.names,
          .target_mean = target.mean,
          .target_std = target.std,
          .settings = *source->series_settings()};
}

void standardize(Sequences& sequences, const spec::SeriesInput& input) {
  if (sequences.features != input.features)
    throw ShapeError("standardize", fmt::format("the sequences have {} features, the input {}",
                                                sequences.features, input.features));
  if (input.mean.empty()) return;
  const auto features = static_cast<std::size_t>(input.features);
  for (std::size_t i = 0; i < sequences.values.size(); ++i) {
    const std::size_t feature = i % features;
    sequences.values[i] = static_cast<float>(
        (static_cast<double>(sequences.values[i]) - input.mean[feature]) / input.std[feature]);
  }
}

}  // namespace unroll::data
