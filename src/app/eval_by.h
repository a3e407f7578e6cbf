// unroll eval --by: a result for each value of a column.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "data/source.h"
#include "train/evaluate.h"

namespace unroll::app {

/// The result of the test series that have one value in a column.
struct ResultOfValue {
  std::string value;
  std::int64_t series = 0;
  train::Evaluation evaluation = {};
};

/// Tests the model on the series of each value of SourceOptions::by. The values are in the order of
/// names. T is float or double.
template <class T>
std::vector<ResultOfValue> results_by(const infer::Model<T>& model, const data::Source& source,
                                      train::ValueLoss of_values);

/// A table of the main metrics: a line for each value.
std::string text_by(const std::string& column, const std::vector<ResultOfValue>& results);

/// Adds `by` to a line of --json: the column, and all metrics for each value.
void add_results_by(nlohmann::ordered_json& line, const std::string& column,
                    const std::vector<ResultOfValue>& results);

}  // namespace unroll::app
