#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <iostream>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "app/predict_series.h"
#include "app/series_answers.h"
#include "app/usage_error.h"
#include "data/line_encoder.h"
#include "data/series_source.h"
#include "unroll/core/error.h"
#include "unroll/infer/stream.h"

namespace unroll::app {
namespace {

template <class T>
infer::Stream<T> stream_of_lines(const infer::Model<T>& model) {
  try {
    return model.stream();
  } catch (const ValueError& error) {
    throw UsageError(fmt::format("stdin is answered line by line, but {}: give a file instead of -",
                                 error.reason()));
  }
}

/// The answers of one series after the other.
template <class T>
class LineAnswers {
 public:
  LineAnswers(const infer::Model<T>& model, bool json)
      : model_(model),
        table_(*model.description().table),
        every_step_(spec::features_of(model.description()).back().is_sequence()),
        answers_(model.description(), !every_step_ && table_.window == 0 && !table_.wide, json),
        outputs_(model.outputs()) {
    if (!table_.wide) stream_of_lines(model);  // throws if there can be none
  }

  std::string header() const { return answers_.header(); }

  /// A row of a series; `starts`: its first one.
  void add_row(std::string& to, const std::string& series, bool starts,
               const std::vector<T>& features) {
    if (starts) {
      end_series(to);
      series_ = series;
    }
    const std::int64_t stride = table_.window == 0   ? 0
                                : table_.stride == 0 ? table_.window
                                                     : table_.stride;
    if (steps_ == 0 || (stride > 0 && steps_ % stride == 0))
      open_.push_back({.number = ++windows_, .stream = model_.stream()});
    ++steps_;
    for (Window& window : open_) {
      window.stream.step(features, outputs_);
      ++window.steps;
      if (every_step_ || table_.window == 0)
        answers_.template add<T>(window.text, series_, window.number, outputs_, window.steps);
    }
    if (table_.window == 0) {
      to += std::exchange(open_.front().text, {});
    } else if (!open_.empty() && open_.front().steps == table_.window) {
      close_window(to, open_.front());
      open_.pop_front();
    }
  }

  /// A series that is shorter than a window is one.
  void end_series(std::string& to) {
    if (steps_ > 0 && steps_ < table_.window) close_window(to, open_.front());
    open_.clear();
    steps_ = windows_ = 0;
  }

  /// A whole series.
  void add_series(std::string& to, const std::string& series, const std::vector<T>& features) {
    const std::size_t steps = features.size() / model_.inputs();
    outputs_.resize(model_.outputs() * (every_step_ ? steps : 1));
    model_.run(features, 1, steps, outputs_);
    answers_.template add<T>(to, series, 1, outputs_);
  }

 private:
  struct Window {
    std::int64_t number;
    infer::Stream<T> stream;
    std::int64_t steps = 0;
    std::string text = {};
  };

  void close_window(std::string& to, Window& window) {
    if (!every_step_) {
      window.stream.outputs(outputs_);
      answers_.template add<T>(window.text, series_, window.number, outputs_);
    }
    to += window.text;
  }

  const infer::Model<T>& model_;
  const spec::TableSpec& table_;
  bool every_step_;
  SeriesAnswers answers_;
  std::vector<T> outputs_;
  std::string series_;
  std::list<Window> open_;  // the windows that the next row is in; the series, if there are none
  std::int64_t steps_ = 0, windows_ = 0;
};

/// Without the end of the line as Windows has it.
bool next_line(std::istream& lines, std::string& line) {
  if (!std::getline(lines, line)) return false;
  if (line.ends_with('\r')) line.pop_back();
  return true;
}

void print_now(std::string& text) {
  fmt::print("{}", text);
  std::fflush(stdout);
  text.clear();
}

template <class T>
void answer_lines(const infer::Model<T>& model, const TableFlags& table, std::istream& lines,
                  bool json) {
  LineAnswers<T> answers(model, json);
  data::SeriesSettings settings = data::settings_for(model.description(), false);
  table.apply_to(settings);
  data::LineEncoder encoder(model.description(), settings, "stdin");
  std::string line;
  std::int64_t number = 0;  // of the line
  if (encoder.has_header()) {
    if (!next_line(lines, line))
      throw FormatError("predict",
                        "nothing on stdin; the first line has the names of the columns, as in the "
                        "file of the training");
    encoder.set_header(line);
    ++number;
  }
  std::string text = answers.header();
  std::vector<T> features;
  std::int64_t empty = 0;  // the line
  while (print_now(text), next_line(lines, line)) {
    ++number;
    if (line.empty()) {
      if (encoder.empty_line_ends()) encoder.end_series();
      empty = number;
      continue;
    }
    if (empty > 0 && !encoder.empty_line_ends())
      throw FormatError("predict",
                        fmt::format("stdin:{}: the line is empty, expected a row", empty));
    encoder.encode(line, number, features);
    if (encoder.is_wide())
      answers.add_series(text, encoder.series(), features);
    else
      answers.add_row(text, encoder.series(), encoder.starts_series(), features);
  }
  answers.end_series(text);
  print_now(text);
}

}  // namespace

void predict_lines(const LoadedModel& loaded, const TableFlags& table, std::istream& lines,
                   bool json) {
  loaded.run(
      [&]<class T>(const infer::Model<T>& model) { answer_lines(model, table, lines, json); });
}

}  // namespace unroll::app
