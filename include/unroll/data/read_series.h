// From a file of series to sequences for training, by the rules of the program.
//
//     const Series series = read_series("readings.csv", {.target = {"state"}, .series = "run"});
//     BucketLoader loader(series.train, {.batch_size = 32, .shuffle = true});
#pragma once

#include <string>
#include <vector>

#include "unroll/core/api.h"
#include "unroll/data/bucket_loader.h"
#include "unroll/data/series_settings.h"
#include "unroll/spec/model_spec.h"

namespace unroll::data {

/// The series of a file, in parts. Values and targets are in raw units. Texts are one feature for
/// each category.
struct Series {
  Sequences train, validation, test;  ///< a part may be empty
  /// The features: names, mean and standard deviation in the training part. Give it to save(), and
  /// the saved model takes raw values.
  spec::SeriesInput input;
  std::vector<std::string> targets;             ///< names of the classes or of the targets
  std::vector<double> target_mean, target_std;  ///< in the training part; empty for classes
  SeriesSettings settings;                      ///< with nothing left automatic
};

/// Reads a .csv, .tsv, .ts or .npz file, also as .gz. `unroll train` and `unroll data info` read,
/// split and encode it in the same way (docs/your_data.md). Throws FileError, FormatError and
/// ValueError, which name the place and the remedy; ValueError for words, which are no sequences of
/// numbers, and for SeriesSettings::log.
UNROLL_API Series read_series(const std::string& path, const SeriesSettings& settings = {});

/// Scales the values to (x - mean) / std, feature by feature, as a saved model does with raw
/// values. Without mean and std nothing changes. Throws ShapeError for another number of features.
UNROLL_API void standardize(Sequences& sequences, const spec::SeriesInput& input);

}  // namespace unroll::data
