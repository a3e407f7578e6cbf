// The CSV file of predictions.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/source.h"
#include "train/trainer.h"
#include "unroll/infer/model.h"
#include "unroll/spec/model_spec.h"

namespace unroll::run {

/// Makes the lines of the file. Fields are quoted as in RFC 4180, lines end with \n. Numbers are
/// the shortest texts that restore them as f32.
///
/// | model answers with   | columns                                                               |
/// | a class              | series, predicted, and the probability of each class under its name   |
/// | a class at each step | series, step, predicted                                               |
/// | numbers              | series, and each number under the name of its target column           |
/// | numbers at each step | series, step, and the same                                            |
///
/// Where series are cut into windows, the column `window` follows `series`, and steps are those of
/// the window. Windows and steps count from 1.
class PredictionTable {
 public:
  /// `each_step`: a model that answers a whole series is asked after every step, and the step is a
  /// column, too.
  PredictionTable(const spec::ModelSpec& spec, bool windows, bool each_step = false);

  std::string header() const;
  /// Appends the lines of one sample. `outputs` are C numbers, or those of each step, the first of
  /// which is the number `step`. `window` has no meaning without windows.
  template <class T>
  void add(std::string& to, std::string_view series, std::int64_t window,
           std::span<const T> outputs, std::int64_t step = 1);

 private:
  template <class T>
  void add_answer(std::string& to, std::span<const T> outputs);

  bool values_, scores_, every_step_, each_step_, windows_;
  std::size_t width_;
  std::vector<std::string> names_;  // of the outputs, quoted
  std::vector<double> probabilities_;
};

/// The file of what a finished run predicts for its test part; empty for a run that has none:
/// because it has no test part, or its results are not detailed.
std::string prediction_table(train::Trainer& trainer);

/// Calls f(series, window, outputs) for each sample of a part, in their order. T is float or
/// double.
template <class T>
void for_predictions(const infer::Model<T>& model, const data::Source& source, data::Split part,
                     const std::function<void(std::string_view series, std::int64_t window,
                                              std::span<const T> outputs)>& f);

/// The file of a part: the header, and all samples in their order. T is float or double.
template <class T>
std::string prediction_table(const infer::Model<T>& model, const data::Source& source,
                             data::Split part);

}  // namespace unroll::run
