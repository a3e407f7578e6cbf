#include "data/series_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

#include "core/parallel.h"
#include "core/philox.h"
#include "core/printable.h"
#include "data/sequences.h"
#include "data/series_columns.h"
#include "data/series_noise.h"
#include "data/series_parts.h"
#include "data/series_summary.h"
#include "data/series_targets.h"
#include "data/series_tokens.h"
#include "data/split.h"
#include "data/table_roles.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::data {
namespace {

// The second half of Philox's counters. Differs from those of other random numbers.
constexpr std::uint64_t kWordStream = 0x574f5244'00000000;  // "WORD"

/// What all parts share.
struct Series {
  Recordings recordings;
  std::vector<std::int64_t> starts;  // the first step of each series among the steps of all
  SeriesSettings settings;           // resolved
  std::variant<SeriesTokens, SeriesColumns> inputs;
  SeriesTargets targets;
  spec::InputSpec input;
  spec::TableSpec table;
  std::string inferred, note;
};

class SeriesSource final : public Source {
 public:
  SeriesSource(std::shared_ptr<const Series> series, SeriesParts parts)
      : series_(std::move(series)), parts_(std::move(parts)) {}

  std::string name() const override { return recordings().name; }
  std::string place() const override {
    return recordings().files.empty() ? name() : recordings().files[0].path;
  }
  spec::InputSpec input() const override { return series_->input; }
  TargetSpec target() const override { return series_->targets.spec; }
  std::int64_t size(Split part) const override { return std::ssize(part_of(parts_, part).windows); }
  std::span<const std::int64_t> lengths(Split part) const override {
    return part_of(parts_, part).lengths;
  }
  std::string sha256(Split part) const override {
    const SeriesPart& chosen = part_of(parts_, part);
    return chosen.series.empty() ? "" : hash_of(recordings(), series_->starts, chosen);
  }
  bool augments() const override {
    const auto* tokens = std::get_if<SeriesTokens>(&series_->inputs);
    return tokens && std::ranges::find(tokens->once, true) != tokens->once.end();
  }
  bool tests_while_training() const override { return false; }
  std::shared_ptr<const Source> with_validation() const override;
  std::span<const std::int64_t> series_of(Split part) const override {
    return part_of(parts_, part).series_of;
  }
  std::vector<std::string> names(Split part) const override {
    std::vector<std::string> names;
    for (const std::int64_t k : part_of(parts_, part).series)
      names.push_back(recordings().names[static_cast<std::size_t>(k)]);
    return names;
  }
  std::vector<std::string> values_by(Split part) const override {
    std::vector<std::string> values;
    for (const std::int64_t k : part_of(parts_, part).series)
      if (!recordings().by.empty()) values.push_back(recordings().by[static_cast<std::size_t>(k)]);
    return values;
  }
  const SeriesSettings* series_settings() const override { return &series_->settings; }
  std::optional<spec::TableSpec> table() const override { return series_->table; }
  std::string facts() const override { return facts_of(recordings(), parts_); }
  void batch(Split part, std::span<const Pick> picks, DType dtype, Examples& to) const override;

  std::string sizes_text() const override { return sizes_of(recordings(), parts_, input()); }
  std::string inferred() const override { return series_->inferred; }
  std::string note() const override { return series_->note; }

 private:
  const Recordings& recordings() const { return series_->recordings; }
  void read_tokens(const SeriesTokens& tokens, const SeriesPart& part, std::span<const Pick> picks,
                   bool draw, const Tensor& to) const;
  void read_columns(const SeriesColumns& columns, const SeriesPart& part,
                    std::span<const Pick> picks, const Tensor& to) const;
  void read_classes(const SeriesPart& part, std::span<const Pick> picks, const Tensor& to) const;
  void read_values(const SeriesPart& part, std::span<const Pick> picks, const Tensor& to) const;

  std::shared_ptr<const Series> series_;
  SeriesParts parts_;
};

/// The sample that a pick means.
struct Sample {
  Sample(const SeriesPart& part, const Pick& pick)
      : window(part.windows[static_cast<std::size_t>(pick.index)]),
        steps(part.lengths[static_cast<std::size_t>(pick.index)]) {}
  Window window;
  std::int64_t steps;
};

void SeriesSource::batch(Split which, std::span<const Pick> picks, DType dtype,
                         Examples& to) const {
  const SeriesPart& part = part_of(parts_, which);
  const auto count = static_cast<std::int64_t>(picks.size());
  to.lengths.resize(picks.size());
  for (std::size_t i = 0; i < picks.size(); ++i)
    to.lengths[i] = part.lengths[static_cast<std::size_t>(picks[i].index)];
  const auto [shortest, longest] = std::ranges::minmax(to.lengths);
  if (const auto* tokens = std::get_if<SeriesTokens>(&series_->inputs)) {
    to.inputs = Tensor::empty({count, longest}, DType::i64);
    read_tokens(*tokens, part, picks, which == Split::train, to.inputs);
  } else {
    const auto& columns = std::get<SeriesColumns>(series_->inputs);
    to.inputs = Tensor::empty({count, longest, columns.features()}, dtype);
    read_columns(columns, part, picks, to.inputs);
  }
  const TargetSpec& target = series_->targets.spec;
  if (target.size == 0) {
    to.targets = {};
  } else if (target.has_values()) {
    to.targets = target.every_step() ? Tensor::empty({count, longest, target.size}, dtype)
                                     : Tensor::empty({count, target.size}, dtype);
    read_values(part, picks, to.targets);
  } else {
    to.targets = target.every_step() ? Tensor::empty({count, longest}, DType::i64)
                                     : Tensor::empty({count}, DType::i64);
    read_classes(part, picks, to.targets);
  }
  if (shortest == longest) to.lengths.clear();  // nothing is padded
}

void SeriesSource::read_columns(const SeriesColumns& columns, const SeriesPart& part,
                                std::span<const Pick> picks, const Tensor& to) const {
  const auto width = static_cast<std::int64_t>(recordings().columns.size());
  const std::int64_t features = columns.features(), longest = to.size(1);
  dispatch("series", to.dtype(), [&]<class T>(T*) {
    T* const all = to.data<T>();
    parallel(picks.size(), [&](std::size_t i) {
      const Sample sample(part, picks[i]);
      const auto k = static_cast<std::size_t>(sample.window.series);
      const auto values = std::span(recordings().values)
                              .subspan(static_cast<std::size_t>(series_->starts[k] * width),
                                       static_cast<std::size_t>(recordings().lengths[k] * width));
      T* const begin = all + static_cast<std::int64_t>(i) * longest * features;
      columns.encode(values, series_->starts[k], sample.window.first, sample.steps, begin);
      std::fill(begin + sample.steps * features, begin + longest * features, T{0});
    });
  });
}

void SeriesSource::read_tokens(const SeriesTokens& tokens, const SeriesPart& part,
                               std::span<const Pick> picks, bool draw, const Tensor& to) const {
  const std::int64_t longest = to.size(1);
  std::int64_t* const all = to.data<std::int64_t>();
  parallel(picks.size(), [&](std::size_t i) {
    const Sample sample(part, picks[i]);
    std::int64_t* const row = all + static_cast<std::int64_t>(i) * longest;
    const float* const words = recordings().values.data() +
                               series_->starts[static_cast<std::size_t>(sample.window.series)] +
                               sample.window.first;
    for (std::int64_t t = 0; t < sample.steps; ++t) {
      std::int64_t token = tokens.token(words[t]);
      if (draw && picks[i].draw != 0 && tokens.once[static_cast<std::size_t>(token)] &&
          philox(static_cast<std::uint64_t>(t), kWordStream, picks[i].draw)[0] % 2 == 0)
        token = 0;
      row[t] = token;
    }
    std::fill(row + sample.steps, row + longest, std::int64_t{0});
  });
}

void SeriesSource::read_classes(const SeriesPart& part, std::span<const Pick> picks,
                                const Tensor& to) const {
  std::int64_t* row = to.data<std::int64_t>();
  for (const Pick& pick : picks) {
    const Sample sample(part, pick);
    const auto k = static_cast<std::size_t>(sample.window.series);
    if (!recordings().target_at_every_step) {
      *row++ = series_->targets.class_at(recordings().targets[k]);
      continue;
    }
    const float* const targets =
        recordings().targets.data() + series_->starts[k] + sample.window.first;
    for (std::int64_t t = 0; t < sample.steps; ++t) row[t] = series_->targets.class_at(targets[t]);
    std::fill(row + sample.steps, row + to.size(1), no_target);
    row += to.size(1);
  }
}

void SeriesSource::read_values(const SeriesPart& part, std::span<const Pick> picks,
                               const Tensor& to) const {
  const std::int64_t width = series_->targets.spec.size;
  const bool every_step = recordings().target_at_every_step;
  const std::int64_t longest = every_step ? to.size(1) : 1;
  dispatch("series", to.dtype(), [&]<class T>(T*) {
    T* row = to.data<T>();
    for (const Pick& pick : picks) {
      const Sample sample(part, pick);
      const std::int64_t k = sample.window.series;
      const std::int64_t first =
          every_step ? series_->starts[static_cast<std::size_t>(k)] + sample.window.first : k;
      T* const end = std::copy_n(recordings().targets.data() + first * width,
                                 (every_step ? sample.steps : 1) * width, row);
      row += longest * width;
      std::fill(end, row, std::numeric_limits<T>::quiet_NaN());
    }
  });
}

std::shared_ptr<const Source> SeriesSource::with_validation() const {
  if (part_of(parts_, Split::validation).series.empty()) return nullptr;
  std::vector<Split> chosen(recordings().lengths.size(), Split::train);
  for (const std::int64_t k : part_of(parts_, Split::test).series)
    chosen[static_cast<std::size_t>(k)] = Split::test;
  return std::make_shared<SeriesSource>(
      series_, cut_parts(recordings(), chosen, series_->table.window, series_->table.stride));
}

/// Roles of columns, from settings.
spec::TableSpec table_of(const SeriesSettings& settings) {
  spec::TableSpec table;
  table.words = settings.words;
  table.target = settings.target;
  table.series = settings.series;
  table.time = settings.time;
  table.time_format = settings.time_format;
  table.group = settings.group;
  table.wide = settings.wide;
  table.fills = settings.missing != Missing::refuse;
  table.previous = settings.missing == Missing::previous;
  table.window = settings.window;
  table.stride = settings.stride;
  if (settings.decimal == ",") table.decimal = ',';
  table.header = !settings.no_header;
  if (!settings.wide) return table;
  // All other columns are steps.
  table.ignore = settings.ignore;
  if (!settings.group.empty()) table.ignore.push_back(settings.group);
  for (const ColumnPart& part : column_parts(settings)) table.ignore.push_back(part.name);
  return table;
}

std::string note_of(const Series& series, const SeriesParts& parts) {
  std::vector<std::string> notes;
  const Recordings& recordings = series.recordings;
  if (const std::int64_t same = count_duplicates(recordings, series.starts, parts); same > 0)
    notes.push_back(
        fmt::format("test series that are in the training part too, value by value: {}", same));
  if (const auto* columns = std::get_if<SeriesColumns>(&series.inputs)) {
    if (std::string unknown = columns->unknown_texts(); !unknown.empty())
      notes.push_back(std::move(unknown));
  } else {
    const auto& tokens = std::get<SeriesTokens>(series.inputs);
    const SeriesPart& test = part_of(parts, Split::test);
    if (const auto unknown = tokens.count_unknown(recordings, series.starts, test); unknown > 0)
      notes.push_back(fmt::format("words of the test part that are read as {}: {} of {}",
                                  SeriesTokens::unknown, unknown, test.steps(recordings)));
  }
  const auto missing_role = [&](std::string_view role, const std::string& name,
                                std::string_view effect) {
    notes.push_back(fmt::format("there is no column {}, the {} of the training: {}",
                                printable(name), role, effect));
  };
  if (series.settings.series.empty() && !series.table.series.empty() && !series.table.wide)
    missing_role("--series", series.table.series, "all rows are one series");
  if (series.settings.time.empty() && !series.table.time.empty())
    missing_role("--time", series.table.time, "the rows keep their order");
  if (!series.targets.note.empty()) notes.push_back(series.targets.note);
  std::int64_t left_out = 0;
  for (const SeriesPart& part : parts) left_out += part.left_out;
  if (left_out > 0)
    notes.push_back(fmt::format(
        "steps at the ends of series that fill no window and are left out: {}", left_out));
  std::string text;
  for (const std::string& note : notes) text += (text.empty() ? "" : "; ") + note;
  return text;
}

/// Series for training.
SeriesParts encode_for_training(Series& series, const SeriesEncoding& encoding) {
  Recordings& recordings = series.recordings;
  SeriesSettings& settings = series.settings;
  const std::vector<Split> chosen = choose_parts(recordings, settings);
  if (encoding.test_noise) put_noise(recordings, chosen, *encoding.test_noise);
  if (settings.stride == 0) settings.stride = settings.window;
  SeriesParts parts = cut_parts(recordings, chosen, settings.window, settings.stride);
  series.table = table_of(settings);
  if (settings.words.empty()) {
    auto& columns =
        series.inputs.emplace<SeriesColumns>(recordings, series.starts, parts, settings);
    spec::SeriesInput input{.features = columns.features(), .names = columns.names()};
    if (settings.scale == Scale::standard) {
      input.mean = columns.mean();
      input.std = columns.std();
    }
    series.input = std::move(input);
    series.table.columns = columns.specs();
  } else {
    const auto& tokens = series.inputs.emplace<SeriesTokens>(
        tokens_of(recordings, series.starts, part_of(parts, Split::train), settings.vocabulary));
    series.input =
        spec::TokenInput{.tokens = std::ssize(tokens.vocabulary), .vocabulary = tokens.vocabulary};
  }
  series.targets = targets_of(recordings, series.starts, parts, settings);
  return parts;
}

/// Series for a trained model: all are the test part.
SeriesParts encode_for_model(Series& series, const spec::ModelSpec& model) {
  Recordings& recordings = series.recordings;
  if (!model.table)
    throw ValueError("data", fmt::format("the model was not trained on series, so it can't read {}",
                                         printable(recordings.name)));
  series.table = *model.table;
  series.input = model.input;
  const std::vector<Split> chosen(recordings.lengths.size(), Split::test);
  SeriesParts parts = cut_parts(recordings, chosen, series.table.window, series.table.stride);
  if (const auto* tokens = std::get_if<spec::TokenInput>(&model.input))
    series.inputs.emplace<SeriesTokens>(tokens_for(recordings, *tokens));
  else
    series.inputs.emplace<SeriesColumns>(recordings, series.starts, parts, series.table);
  series.targets = targets_for(recordings, model);
  return parts;
}

}  // namespace

std::shared_ptr<const Source> series_source(Recordings recordings, const SeriesEncoding& encoding) {
  if (recordings.lengths.empty())
    throw ValueError("data", fmt::format("{} has no series", printable(recordings.name)));
  const auto series = std::make_shared<Series>();
  series->recordings = std::move(recordings);
  series->starts = starts_of(series->recordings.lengths);
  series->settings = series->recordings.settings;
  SeriesParts parts = encoding.model ? encode_for_model(*series, *encoding.model)
                                     : encode_for_training(*series, encoding);
  series->note = note_of(*series, parts);
  series->inferred = inferred_of(series->recordings, parts, series->settings, series->input,
                                 series->table, series->targets.spec);
  return std::make_shared<SeriesSource>(series, std::move(parts));
}

std::vector<std::string> text_columns_of(const spec::ModelSpec& model) {
  std::vector<std::string> names;
  if (!model.table) return names;
  for (const spec::ColumnSpec& column : model.table->columns)
    if (!column.texts.empty()) names.push_back(column.name);
  return names;
}

SeriesSettings settings_for(const spec::ModelSpec& model, bool targets) {
  if (!model.table)
    throw ValueError("data", "the model was not trained on series, so it reads no tables");
  const spec::TableSpec& table = *model.table;
  SeriesSettings settings;
  settings.task = model.output == spec::Output::values            ? Task::regress
                  : spec::features_of(model).back().is_sequence() ? Task::label
                                                                  : Task::classify;
  settings.ignore = table.ignore;
  if (targets)
    settings.target = table.target;
  else if (table.wide)
    settings.ignore.insert(settings.ignore.end(), table.target.begin(), table.target.end());
  for (const spec::ColumnSpec& column : table.columns) settings.features.push_back(column.name);
  settings.words = table.words;
  settings.series = table.series;
  settings.time = table.time;
  settings.time_format = table.time_format;
  settings.wide = table.wide;
  if (table.decimal != '.') settings.decimal = std::string(1, table.decimal);
  settings.no_header = !table.header;
  settings.window = table.window;
  settings.stride = table.stride;
  settings.missing = table.previous ? Missing::previous
                     : table.fills  ? Missing::mean
                                    : Missing::refuse;
  settings.validate = settings.test = no_part;
  return settings;
}

}  // namespace unroll::data
