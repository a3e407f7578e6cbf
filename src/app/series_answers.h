// Prints what a model answers for series: the lines of a table, or lines of JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "run/prediction_table.h"
#include "unroll/spec/model_spec.h"

namespace unroll::app {

/// The same table as a run's predictions.csv (run/prediction_table.h).
class SeriesAnswers {
 public:
  /// `each_step`: a model that answers a whole series is asked after every step.
  SeriesAnswers(const spec::ModelSpec& spec, bool each_step, bool json);

  /// The first line of the table; no line of JSON.
  std::string header() const;
  /// Appends the lines of one sample, or of some of its steps from number `step` on. T is float or
  /// double.
  template <class T>
  void add(std::string& to, std::string_view series, std::int64_t window,
           std::span<const T> outputs, std::int64_t step = 1);

 private:
  template <class T>
  void add_json(std::string& to, std::string_view series, std::int64_t window,
                std::span<const T> outputs, std::int64_t step);

  const spec::ModelSpec& spec_;
  bool windows_, steps_, json_;
  run::PredictionTable table_;
};

}  // namespace unroll::app
