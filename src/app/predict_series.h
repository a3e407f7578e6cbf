// unroll predict, for models of series: a file at once, or stdin line by line.
#pragma once

#include <iosfwd>
#include <string>

#include "app/data_flags.h"
#include "app/model_source.h"

namespace unroll::app {

struct PredictSeries {
  std::string file;  ///< "-": stdin
  std::string out;   ///< a .csv or a .npy; empty: stdout
  bool each_step = false, json = false;
  const TableFlags& table;
};

/// Reads the columns by name and writes a table: raw numbers and names. Throws UsageError, and the
/// errors of reading.
void predict_series(const LoadedModel& loaded, const DataFlags& data, const PredictSeries& what);

/// Answers lines as they come, each at once. The first one has the names of the columns. A model
/// that answers a whole series answers after each of its lines; one of windows at a window's end.
/// Throws ValueError for a model that must see a whole series.
void predict_lines(const LoadedModel& loaded, const TableFlags& table, std::istream& lines,
                   bool json);

}  // namespace unroll::app
