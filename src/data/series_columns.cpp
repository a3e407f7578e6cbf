#include "data/series_columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "core/numerics.h"
#include "core/printable.h"
#include "data/table_value.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

constexpr std::size_t kMostTexts = 64;
constexpr std::int64_t kBlock = 1024;  // steps that a search for the last value may take

/// Calls f(value, column of the recordings, step) for each value of a series.
template <class F>
void each_value(const Recordings& recordings, std::span<const std::int64_t> starts,
                std::int64_t series, F&& f) {
  const auto k = static_cast<std::size_t>(series);
  const std::size_t width = recordings.columns.size();
  const float* value = recordings.values.data() + static_cast<std::size_t>(starts[k]) * width;
  for (std::int64_t t = 0; t < recordings.lengths[k]; ++t)
    for (std::size_t c = 0; c < width; ++c, ++value) f(*value, c, t);
}

}  // namespace

double divisor(double std) { return static_cast<float>(std) > 0 ? std : 1; }

SeriesColumns::SeriesColumns(const Recordings& recordings, std::span<const std::int64_t> starts,
                             const SeriesParts& parts, const SeriesSettings& settings)
    : width_(static_cast<std::int64_t>(recordings.columns.size())),
      fills_(settings.missing != Missing::refuse),
      previous_(settings.missing == Missing::previous),
      log_(settings.log) {
  for (std::int64_t c = 0; c < width_; ++c) columns_.push_back({.source = c});
  if (!fills_) check_missing(recordings, starts, parts);
  measure(recordings, starts, part_of(parts, Split::train));
  number_features();
  count_unknown(recordings, starts, parts);
  find_last(recordings);
}

SeriesColumns::SeriesColumns(const Recordings& recordings, std::span<const std::int64_t> starts,
                             const SeriesParts& parts, const spec::TableSpec& table)
    : specs_(table.columns),
      width_(static_cast<std::int64_t>(recordings.columns.size())),
      fills_(table.fills),
      previous_(table.previous) {
  std::vector<std::string> names;
  for (const RecordedColumn& column : recordings.columns) names.push_back(column.name);
  for (const spec::ColumnSpec& spec : specs_) {
    const auto found = std::ranges::find(names, spec.name);
    if (found == names.end())
      throw ValueError("data", fmt::format("{} has no column {}, which the model reads; it has {}",
                                           printable(recordings.name), in_quotes(spec.name),
                                           printable(fmt::format("{}", fmt::join(names, ", ")))));
    Column column{.source = found - names.begin(),
                  .marked = spec.marked,
                  .fill = static_cast<float>(spec.fill)};
    const RecordedColumn& recorded = recordings.columns[static_cast<std::size_t>(column.source)];
    if (spec.texts.empty() && recorded.is_text())
      throw ValueError("data", fmt::format("column {} has texts such as {}, but the model reads "
                                           "numbers there",
                                           in_quotes(spec.name), in_quotes(recorded.texts[0])));
    if (!spec.texts.empty()) {
      match_texts(recorded, spec, column);
      check_texts(recordings, column);
    }
    columns_.push_back(std::move(column));
  }
  if (!fills_) check_missing(recordings, starts, parts);
  number_features();
  count_unknown(recordings, starts, parts);
  find_last(recordings);
}

/// Finds the feature of each text of the recordings.
void SeriesColumns::match_texts(const RecordedColumn& recorded, const spec::ColumnSpec& spec,
                                Column& column) {
  column.texts = std::ssize(spec.texts);
  for (const std::string& text : recorded.texts) {
    const auto found = std::ranges::find(spec.texts, text);
    column.feature_of.push_back(
        found == spec.texts.end() ? -1 : static_cast<std::int32_t>(found - spec.texts.begin()));
  }
}

/// A column whose texts are all missing has none.
void SeriesColumns::check_texts(const Recordings& recordings, const Column& column) const {
  const auto source = static_cast<std::size_t>(column.source);
  const RecordedColumn& recorded = recordings.columns[source];
  if (recorded.is_text()) return;
  for (std::size_t at = source; at < recordings.values.size(); at += recordings.columns.size())
    if (!std::isnan(recordings.values[at]))
      throw ValueError("data", fmt::format("column {} has numbers such as {}, but the model reads "
                                           "texts there; give it as a table (.csv)",
                                           in_quotes(recorded.name), recordings.values[at]));
}

/// Gives each column its features.
void SeriesColumns::number_features() {
  features_ = 0;
  plain_ = !fills_ && std::ssize(columns_) == width_;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    Column& column = columns_[c];
    column.first = features_;
    features_ += std::max<std::int64_t>(1, column.texts) + (column.marked ? 1 : 0);
    plain_ = plain_ && column.source == static_cast<std::int64_t>(c) && column.texts == 0 &&
             !column.marked;
  }
}

/// Refuses missing values in the columns that the model reads.
void SeriesColumns::check_missing(const Recordings& recordings,
                                  std::span<const std::int64_t> starts,
                                  const SeriesParts& parts) const {
  std::vector<bool> read(static_cast<std::size_t>(width_));
  for (const Column& column : columns_) read[static_cast<std::size_t>(column.source)] = true;
  for (const Split part : all_parts)
    for (const std::int64_t k : part_of(parts, part).series)
      each_value(recordings, starts, k, [&](float value, std::size_t c, std::int64_t step) {
        if (!std::isnan(value) || !read[c]) return;
        throw ValueError("data",
                         fmt::format("series {} misses {} at step {}; fill it in, or {}",
                                     in_quotes(recordings.names[static_cast<std::size_t>(k)]),
                                     in_quotes(recordings.columns[c].name), step + 1,
                                     specs_.empty() ? "give --missing mean or --missing previous"
                                                    : "train a model with --missing mean"));
      });
}

/// Refuses a column that has texts only because of a value outside the training part, where all are
/// numbers: that value would decide what the model reads. `trained`: the training part's texts.
void SeriesColumns::check_type(const Recordings& recordings, std::span<const std::int64_t> starts,
                               const Column& column, const std::vector<bool>& trained) const {
  const auto source = static_cast<std::size_t>(column.source);
  const RecordedColumn& recorded = recordings.columns[source];
  const char decimal = recordings.settings.decimal == "," ? ',' : '.';
  std::vector<ValueKind> kinds;
  for (const std::string& text : recorded.texts) kinds.push_back(table_value(text, decimal).kind);
  bool numbers = true, booleans = true;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (!trained[i]) continue;
    numbers = numbers && kinds[i] == ValueKind::number;
    booleans = booleans && kinds[i] == ValueKind::boolean;
  }
  if (!numbers && !booleans) return;
  const ValueKind kind = numbers ? ValueKind::number : ValueKind::boolean;
  for (std::int64_t k = 0; k < recordings.count(); ++k)
    each_value(recordings, starts, k, [&](float value, std::size_t c, std::int64_t step) {
      if (c != source || std::isnan(value) || kinds[static_cast<std::size_t>(value)] == kind)
        return;
      throw ValueError(
          "data",
          fmt::format("column {} has only {} in the training part, but {} at step {} of series {}; "
                      "correct this value, or leave the column out with --ignore",
                      in_quotes(recorded.name), numbers ? "numbers" : "TRUE and FALSE",
                      in_quotes(recorded.texts[static_cast<std::size_t>(value)]), step + 1,
                      in_quotes(recordings.names[static_cast<std::size_t>(k)])));
    });
}

/// Takes statistics and texts from the training part. Sums are in double, in the order of the
/// series.
void SeriesColumns::measure(const Recordings& recordings, std::span<const std::int64_t> starts,
                            const SeriesPart& train) {
  struct Statistics {
    double sum = 0, squares = 0;
    std::int64_t count = 0;
    float least = 0, most = 0;
    std::vector<bool> seen;  // texts
  };
  const auto scaled = [this](float value) {
    const auto number = static_cast<double>(value);
    return log_ ? numerics::symlog(number) : number;
  };
  std::vector<Statistics> all(static_cast<std::size_t>(width_));
  for (std::size_t c = 0; c < all.size(); ++c)
    all[c].seen.resize(recordings.columns[c].texts.size());
  for (const std::int64_t k : train.series)
    each_value(recordings, starts, k, [&](float value, std::size_t c, std::int64_t) {
      if (std::isnan(value)) return;
      Statistics& s = all[c];
      s.least = s.count == 0 ? value : std::min(s.least, value);
      s.most = s.count == 0 ? value : std::max(s.most, value);
      ++s.count;
      s.sum += scaled(value);
      if (!all[c].seen.empty()) all[c].seen[static_cast<std::size_t>(value)] = true;
    });
  for (Statistics& s : all)
    if (s.count > 0) s.sum /= static_cast<double>(s.count);  // the mean from here on
  for (const std::int64_t k : train.series)
    each_value(recordings, starts, k, [&](float value, std::size_t c, std::int64_t) {
      if (std::isnan(value)) return;
      const double difference = scaled(value) - all[c].sum;
      all[c].squares += difference * difference;
    });
  const std::int64_t steps = train.steps(recordings);
  for (Column& column : columns_) {
    const RecordedColumn& recorded = recordings.columns[static_cast<std::size_t>(column.source)];
    const Statistics& s = all[static_cast<std::size_t>(column.source)];
    spec::ColumnSpec spec{.name = recorded.name, .marked = s.count < steps};
    if (s.count == 0)
      throw ValueError("data", fmt::format("column {} has no value in the training part; leave it "
                                           "out with --ignore",
                                           in_quotes(recorded.name)));
    if (recorded.is_text()) {
      check_type(recordings, starts, column, s.seen);
      for (std::size_t i = 0; i < s.seen.size(); ++i)
        if (s.seen[i]) spec.texts.push_back(recorded.texts[i]);
      if (spec.texts.size() > kMostTexts)
        throw ValueError("data",
                         fmt::format("column {} has {} different texts in the training "
                                     "part, expected at most {}; leave it out with "
                                     "--ignore",
                                     in_quotes(recorded.name), spec.texts.size(), kMostTexts));
      std::ranges::sort(spec.texts);
      match_texts(recorded, spec, column);
    } else if (fills_) {
      // The number whose logarithm is the mean.
      spec.fill = log_ ? std::copysign(numerics::exp(std::abs(s.sum)) - 1, s.sum) : s.sum;
      column.fill = static_cast<float>(spec.fill);
    }
    column.marked = spec.marked;
    if (!recorded.is_text()) {
      mean_.push_back(s.sum);
      // The rounded sum of a constant's logarithms would leave a difference.
      const double variance = s.least == s.most ? 0 : s.squares / static_cast<double>(s.count);
      std_.push_back(divisor(std::sqrt(variance)));
    }
    const std::size_t unscaled = spec.texts.size() + (spec.marked ? 1 : 0);
    mean_.insert(mean_.end(), unscaled, 0);
    std_.insert(std_.end(), unscaled, 1);
    specs_.push_back(std::move(spec));
  }
}

void SeriesColumns::count_unknown(const Recordings& recordings,
                                  std::span<const std::int64_t> starts, const SeriesParts& parts) {
  unknown_.assign(columns_.size(), 0);
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> of_source(static_cast<std::size_t>(width_), kNone);
  bool any = false;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].texts == 0) continue;
    of_source[static_cast<std::size_t>(columns_[i].source)] = i;
    any = true;
  }
  if (!any) return;
  for (const Split part : all_parts)
    for (const std::int64_t k : part_of(parts, part).series)
      each_value(recordings, starts, k, [&](float value, std::size_t c, std::int64_t) {
        const std::size_t i = of_source[c];
        if (i != kNone && !std::isnan(value) && columns_[i].feature(value) < 0) ++unknown_[i];
      });
}

/// Remembers the last values before each block of steps, so that no search is longer than a block.
void SeriesColumns::find_last(const Recordings& recordings) {
  if (!previous_) return;
  const auto width = static_cast<std::size_t>(width_);
  const std::size_t steps = recordings.values.size() / std::max<std::size_t>(width, 1);
  std::vector<std::int64_t> last(width, -1);
  for (std::size_t t = 0; t < steps; ++t) {
    if (t % static_cast<std::size_t>(kBlock) == 0)
      last_.insert(last_.end(), last.begin(), last.end());
    for (std::size_t c = 0; c < width; ++c)
      if (!std::isnan(recordings.values[t * width + c])) last[c] = static_cast<std::int64_t>(t);
  }
}

/// The last value of a column before step `first` of the series that begins at step `start` of all;
/// NaN: there is none.
float SeriesColumns::last_before(const Column& column, std::span<const float> series,
                                 std::int64_t start, std::int64_t first) const {
  const auto value_at = [&](std::int64_t step) {
    return series[static_cast<std::size_t>(step * width_ + column.source)];
  };
  const std::int64_t block = (start + first) / kBlock;
  for (std::int64_t t = first - 1; t >= std::max<std::int64_t>(0, block * kBlock - start); --t)
    if (const float value = value_at(t); !std::isnan(value)) return value;
  if (block * kBlock > start)
    if (const std::int64_t last = last_[static_cast<std::size_t>(block * width_ + column.source)];
        last >= start)
      return value_at(last - start);
  return std::numeric_limits<float>::quiet_NaN();
}

std::string SeriesColumns::unknown_texts() const {
  std::string text;
  for (std::size_t c = 0; c < columns_.size(); ++c)
    if (unknown_[c] > 0)
      text +=
          fmt::format("{}values of {} that are read as none of the texts of the training part: {}",
                      text.empty() ? "" : "; ", printable(specs_[c].name), unknown_[c]);
  return text;
}

std::vector<std::string> SeriesColumns::names() const {
  std::vector<std::string> names;
  for (const spec::ColumnSpec& spec : specs_) {
    for (const std::string& text : spec.texts) names.push_back(spec.name + "=" + text);
    if (spec.texts.empty()) names.push_back(spec.name);
    if (spec.marked) names.push_back(spec.name + " missing");
  }
  return names;
}

template <class T>
void SeriesColumns::encode_column(const Column& column, std::span<const float> series,
                                  std::int64_t start, std::int64_t first, std::int64_t steps,
                                  T* to) const {
  const auto value_at = [&](std::int64_t step) {
    return series[static_cast<std::size_t>(step * width_ + column.source)];
  };
  to += column.first;
  if (column.texts == 0 && !column.marked && !previous_) {  // most columns
    const float* from = series.data() + first * width_ + column.source;
    for (std::int64_t t = 0; t < steps; ++t, from += width_, to += features_)
      *to = static_cast<T>(std::isnan(*from) ? column.fill : *from);
    return;
  }
  // The last value that is there, if a missing one is the one before it.
  float last = previous_ ? last_before(column, series, start, first)
                         : std::numeric_limits<float>::quiet_NaN();
  for (std::int64_t t = first; t < first + steps; ++t, to += features_) {
    float value = value_at(t);
    const bool missing = std::isnan(value);
    if (missing) value = last;
    if (previous_) last = value;
    if (column.texts > 0) {
      std::fill_n(to, column.texts, T{0});
      if (!std::isnan(value))
        if (const std::int32_t feature = column.feature(value); feature >= 0) to[feature] = 1;
    } else {
      *to = static_cast<T>(std::isnan(value) ? column.fill : value);
    }
    if (column.marked) to[std::max<std::int64_t>(1, column.texts)] = missing ? T{1} : T{0};
  }
}

template <class T>
void SeriesColumns::encode(std::span<const float> series, std::int64_t start, std::int64_t first,
                           std::int64_t steps, T* to) const {
  if (plain_) {
    std::copy_n(series.data() + first * width_, steps * width_, to);
    return;
  }
  for (const Column& column : columns_) encode_column(column, series, start, first, steps, to);
}

template void SeriesColumns::encode(std::span<const float>, std::int64_t, std::int64_t,
                                    std::int64_t, float*) const;
template void SeriesColumns::encode(std::span<const float>, std::int64_t, std::int64_t,
                                    std::int64_t, double*) const;

}  // namespace unroll::data
