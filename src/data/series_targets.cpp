#include "data/series_targets.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/printable.h"
#include "data/name_order.h"
#include "data/series_columns.h"
#include "unroll/core/error.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::data {
namespace {

/// The targets of a series: M numbers, or M at each step.
std::span<const float> targets_in(const Recordings& recordings,
                                  std::span<const std::int64_t> starts, std::int64_t series) {
  const std::size_t width = recordings.target_columns.size();
  const auto k = static_cast<std::size_t>(series);
  const bool steps = recordings.target_at_every_step;
  const std::size_t first = steps ? static_cast<std::size_t>(starts[k]) : k,
                    count = steps ? static_cast<std::size_t>(recordings.lengths[k]) : 1;
  return std::span(recordings.targets).subspan(first * width, count * width);
}

/// "a, b, c", or the first of them and "...".
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 10;
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i)
    shown.push_back(printable(names[i]));
  return fmt::format("{}{}", fmt::join(shown, ", "), names.size() > kMost ? ", ..." : "");
}

void check_whole_series(const Recordings& recordings, std::span<const std::int64_t> starts,
                        const SeriesParts& parts) {
  if (recordings.target_at_every_step) return;
  for (const SeriesPart& part : parts)
    for (const std::int64_t k : part.series) {
      const auto targets = targets_in(recordings, starts, k);
      const auto missing =
          std::ranges::find_if(targets, [](float target) { return std::isnan(target); });
      if (missing == targets.end()) continue;
      const auto column = static_cast<std::size_t>(missing - targets.begin());
      throw ValueError("data", fmt::format("series {} has no value of {}, the target; fill it in, "
                                           "or leave the series out",
                                           in_quotes(recordings.names[static_cast<std::size_t>(k)]),
                                           in_quotes(recordings.target_columns[column].name)));
    }
}

void find_classes(const Recordings& recordings, std::span<const std::int64_t> starts,
                  const SeriesParts& parts, SeriesTargets& targets) {
  const std::vector<std::string>& texts = recordings.target_columns[0].texts;
  const auto used_in = [&](Split part) {
    std::vector<bool> used(texts.size());
    for (const std::int64_t k : part_of(parts, part).series)
      for (const float target : targets_in(recordings, starts, k))
        if (!std::isnan(target)) used[static_cast<std::size_t>(target)] = true;
    return used;
  };
  const std::vector<bool> trained = used_in(Split::train);
  std::vector<std::string>& names = targets.spec.names;
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (trained[i]) names.push_back(texts[i]);
  sort_names(names);
  if (names.size() < 2)
    throw ValueError(
        "data", fmt::format("{} has {} in the training part, expected at least two classes",
                            in_quotes(recordings.target_columns[0].name),
                            names.empty() ? "no value" : "only the class " + in_quotes(names[0])));
  for (const auto& [part, noun] :
       {std::pair(Split::validation, "validation"), std::pair(Split::test, "test")}) {
    const std::vector<bool> used = used_in(part);
    std::vector<std::string> lacking;
    for (std::size_t i = 0; i < texts.size(); ++i)
      if (used[i] && !trained[i]) lacking.push_back(texts[i]);
    if (lacking.empty()) continue;
    sort_names(lacking);
    // One rare class at some steps must not end the choice of the best weights.
    if (part == Split::validation && recordings.target_at_every_step) {
      targets.note = fmt::format(
          "the validation part has classes of {} that the training part "
          "lacks: {}; steps with them are left out of loss and score",
          printable(recordings.target_columns[0].name), some_of(lacking));
      continue;
    }
    throw ValueError(
        "data", fmt::format("the {} part has classes of {} that the training part "
                            "lacks: {}; choose other parts, or leave them out",
                            noun, in_quotes(recordings.target_columns[0].name), some_of(lacking)));
  }
  std::map<std::string_view, std::int64_t> number;
  for (std::size_t c = 0; c < names.size(); ++c)
    number.emplace(names[c], static_cast<std::int64_t>(c));
  for (const std::string& text : texts) {
    const auto found = number.find(text);
    targets.class_of.push_back(found == number.end() ? no_target : found->second);
  }
  targets.spec.size = std::ssize(names);
}

/// N / (C n_c): N samples, or steps with a target, of C classes; n_c of them have class c.
std::vector<double> balanced_weights(const Recordings& recordings,
                                     std::span<const std::int64_t> starts, const SeriesPart& train,
                                     const SeriesTargets& targets) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(targets.spec.size));
  std::int64_t all = 0;
  for (std::size_t i = 0; i < train.windows.size(); ++i) {
    const Window& window = train.windows[i];
    std::span<const float> in = targets_in(recordings, starts, window.series);
    if (recordings.target_at_every_step)
      in = in.subspan(static_cast<std::size_t>(window.first),
                      static_cast<std::size_t>(train.lengths[i]));
    for (const float target : in)
      if (const std::int64_t c = targets.class_at(target); c != no_target) {
        ++counts[static_cast<std::size_t>(c)];
        ++all;
      }
  }
  std::vector<double> weights;
  for (const std::int64_t count : counts)
    // A class may stand only in steps that fill no window.
    weights.push_back(count == 0 ? 1.0
                                 : static_cast<double>(all) / (static_cast<double>(counts.size()) *
                                                               static_cast<double>(count)));
  return weights;
}

void measure_targets(const Recordings& recordings, std::span<const std::int64_t> starts,
                     const SeriesPart& train, TargetSpec& spec) {
  const std::size_t width = recordings.target_columns.size();
  for (std::size_t m = 0; m < width; ++m) {
    const auto each = [&](auto&& f) {
      for (const std::int64_t k : train.series) {
        const auto targets = targets_in(recordings, starts, k);
        for (std::size_t i = m; i < targets.size(); i += width)
          if (!std::isnan(targets[i])) f(static_cast<double>(targets[i]));
      }
    };
    double sum = 0, squares = 0;
    std::int64_t count = 0;
    each([&](double target) {
      sum += target;
      ++count;
    });
    if (count == 0)
      throw ValueError("data", fmt::format("{}, the target, has no value in the training part",
                                           in_quotes(recordings.target_columns[m].name)));
    const double mean = sum / static_cast<double>(count);
    each([&](double target) { squares += (target - mean) * (target - mean); });
    spec.mean.push_back(mean);
    spec.std.push_back(divisor(std::sqrt(squares / static_cast<double>(count))));
  }
}

/// Columns of numbers as targets.
TargetSpec numbers_of(const Recordings& recordings) {
  TargetSpec spec{.kind = recordings.target_at_every_step ? TargetSpec::Kind::step_values
                                                          : TargetSpec::Kind::values,
                  .size = std::ssize(recordings.target_columns),
                  .detailed = true};
  for (const RecordedColumn& column : recordings.target_columns) {
    if (column.is_text())
      throw ValueError("data", fmt::format("{}, the target, has texts such as {}, expected "
                                           "numbers; give --task classify or --task label",
                                           in_quotes(column.name), in_quotes(column.texts[0])));
    spec.names.push_back(column.name);
  }
  return spec;
}

/// One column of classes as target, without its classes.
TargetSpec classes_of(const Recordings& recordings) {
  return {.kind = recordings.target_at_every_step ? TargetSpec::Kind::step_classes
                                                  : TargetSpec::Kind::classes,
          .detailed = true};
}

}  // namespace

std::int64_t SeriesTargets::class_at(float target) const {
  return std::isnan(target) ? no_target : class_of[static_cast<std::size_t>(target)];
}

SeriesTargets targets_of(const Recordings& recordings, std::span<const std::int64_t> starts,
                         const SeriesParts& parts, const SeriesSettings& settings) {
  if (recordings.target_columns.empty())
    throw ValueError("target", "nothing to predict; name its column with --target");
  check_whole_series(recordings, starts, parts);
  const SeriesPart& train = part_of(parts, Split::train);
  SeriesTargets targets;
  if (recordings.target_columns.size() == 1 && recordings.target_columns[0].is_text()) {
    targets.spec = classes_of(recordings);
    find_classes(recordings, starts, parts, targets);
    if (settings.class_weights == ClassWeights::balanced)
      targets.spec.class_weights = balanced_weights(recordings, starts, train, targets);
    return targets;
  }
  targets.spec = numbers_of(recordings);
  if (settings.scale == Scale::standard) measure_targets(recordings, starts, train, targets.spec);
  return targets;
}

SeriesTargets targets_for(const Recordings& recordings, const spec::ModelSpec& model) {
  SeriesTargets targets;
  if (recordings.target_columns.empty()) return targets;
  if (model.output == spec::Output::values) {
    targets.spec = numbers_of(recordings);
    // The last layer of such a model undoes the scaling: its std is 1 / s, its mean -m / s.
    const auto* scale =
        model.layers.empty() ? nullptr : std::get_if<spec::ScaleSpec>(&model.layers.back());
    if (scale && std::ssize(scale->std) == targets.spec.size)
      for (std::size_t m = 0; m < scale->std.size(); ++m) {
        targets.spec.std.push_back(1 / scale->std[m]);
        targets.spec.mean.push_back(-scale->mean[m] / scale->std[m]);
      }
    return targets;
  }
  targets.spec = classes_of(recordings);
  targets.spec.names = model.classes;
  targets.spec.size = std::ssize(model.classes);
  const std::vector<std::string>& texts = recordings.target_columns[0].texts;
  std::vector<bool> used(texts.size());
  for (const float target : recordings.targets)
    if (!std::isnan(target)) used[static_cast<std::size_t>(target)] = true;
  std::vector<std::string> lacking;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto found = std::ranges::find(model.classes, texts[i]);
    if (used[i] && found == model.classes.end()) lacking.push_back(texts[i]);
    targets.class_of.push_back(found - model.classes.begin());
  }
  if (!lacking.empty())
    throw ValueError("data",
                     fmt::format("{} has classes that the model does not have: {}; it has {}",
                                 in_quotes(recordings.target_columns[0].name), some_of(lacking),
                                 some_of(model.classes)));
  return targets;
}

}  // namespace unroll::data
