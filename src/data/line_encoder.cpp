#include "data/line_encoder.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "data/content_reader.h"
#include "data/series_columns.h"
#include "data/series_parts.h"
#include "data/series_source.h"
#include "data/table_reader.h"
#include "data/table_recordings.h"
#include "data/table_roles.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

constexpr float kNoValue = std::numeric_limits<float>::quiet_NaN();

/// Messages that begin with the place of the line, `read` of what was read, get its number instead.
std::string with_line(std::string text, const std::string& name, std::int64_t read,
                      std::int64_t number) {
  if (const std::string wrong = fmt::format("{}:{}:", name, read); text.starts_with(wrong))
    text.replace(0, wrong.size(), fmt::format("{}:{}:", name, number));
  return text;
}

}  // namespace

LineEncoder::LineEncoder(const spec::ModelSpec& model, SeriesSettings settings, std::string name)
    : name_(std::move(name)), model_(model), settings_(std::move(settings)) {
  settings_.time.clear();  // the order of the lines
  options_ = table_options(settings_, text_columns_of(model_), Targets::optional);
  if (auto* tokens = std::get_if<spec::TokenInput>(&model_.input)) {
    for (std::size_t i = 0; i < tokens->vocabulary.size(); ++i)
      tokens_.emplace(tokens->vocabulary[i], static_cast<std::int64_t>(i));
    tokens->vocabulary.clear();
  }
}

void LineEncoder::set_header(std::string_view line) { header_ = std::string(line) + "\n"; }

Recordings LineEncoder::read(std::string_view line, std::int64_t number) {
  const std::string text = header_ + std::string(line) + "\n";
  const std::int64_t line_read = header_.empty() ? 1 : 2;
  try {
    ContentReader content(text, name_);
    const Table table = read_table(content, options_, text.size() + 1);
    options_.separator = table.separator;
    return recordings_of(table, settings_, Targets::optional);
  } catch (const FormatError& error) {
    throw FormatError("data", with_line(std::string(error.reason()), name_, line_read, number));
  } catch (const ValueError& error) {
    throw ValueError("data", with_line(std::string(error.reason()), name_, line_read, number));
  }
}

/// The line becomes the second step of a series whose first step has the last values.
void LineEncoder::put_last_value_before(Recordings& line) {
  const std::size_t width = line.columns.size();
  if (starts_) last_.assign(width, kNoValue);
  std::vector<float> before(width, kNoValue);
  for (std::size_t c = 0; c < width; ++c) {
    RecordedColumn& column = line.columns[c];
    const float value = line.values[c];
    if (!std::isnan(value)) {
      if (column.is_text())
        last_[c] = column.texts[static_cast<std::size_t>(value)];
      else
        last_[c] = value;
    } else if (const auto* text = std::get_if<std::string>(&last_[c])) {
      column.texts = {*text};
      before[c] = 0;
    } else {
      before[c] = std::get<float>(last_[c]);
    }
  }
  line.values.insert(line.values.begin(), before.begin(), before.end());
  line.lengths = {2};
}

template <class T>
void LineEncoder::encode(std::string_view text, std::int64_t number, std::vector<T>& to) {
  Recordings line = read(text, number);
  if (line.lengths.size() != 1)
    throw FormatError("data", fmt::format("{}:{}: the line is no row; give a value for each column",
                                          name_, number));
  line.name = name_;
  const bool named = !settings_.series.empty();
  starts_ = !in_series_ || settings_.wide || (named && line.names[0] != series_);
  count_ += starts_;
  series_ = named ? line.names[0] : fmt::to_string(count_);
  in_series_ = true;
  const auto steps = line.lengths[0];
  if (!tokens_.empty()) {
    const std::string& word = line.columns[0].texts[static_cast<std::size_t>(line.values[0])];
    const auto found = tokens_.find(word);
    to.assign(1, static_cast<T>(found == tokens_.end() ? 0 : found->second));
    return;
  }
  const bool previous = model_.table->previous && !settings_.wide;
  if (previous) put_last_value_before(line);
  const std::int64_t starts[] = {0};
  const Split part[] = {Split::test};
  const SeriesColumns columns = [&] {
    try {
      return SeriesColumns(line, starts, cut_parts(line, part, 0, 0), *model_.table);
    } catch (const ValueError& error) {
      throw ValueError("data", fmt::format("{}:{}: {}", name_, number, error.reason()));
    }
  }();
  to.resize(static_cast<std::size_t>(steps * columns.features()));
  columns.encode(line.values, 0, previous ? 1 : 0, steps, to.data());
}

template void LineEncoder::encode(std::string_view, std::int64_t, std::vector<float>&);
template void LineEncoder::encode(std::string_view, std::int64_t, std::vector<double>&);

}  // namespace unroll::data
