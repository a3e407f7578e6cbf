// How columns of recordings become the features of a model.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/recordings.h"
#include "data/series_parts.h"
#include "unroll/spec/model_spec.h"

namespace unroll::data {

/// Columns of numbers and texts, encoded: a number stays, a text column becomes one feature for
/// each text, a mark says that a value is missing. The scaling is the model's (SeriesInput::mean).
class SeriesColumns {
 public:
  /// Takes statistics and texts from the training part. Throws ValueError for a column without a
  /// value there, for more than 64 texts, and for missing values that the settings refuse.
  SeriesColumns(const Recordings& recordings, std::span<const std::int64_t> starts,
                const SeriesParts& parts, const SeriesSettings& settings);
  /// For a trained model: its columns are found by name. Throws ValueError for a column that is not
  /// there, or has texts instead of numbers or the reverse.
  SeriesColumns(const Recordings& recordings, std::span<const std::int64_t> starts,
                const SeriesParts& parts, const spec::TableSpec& table);

  const std::vector<spec::ColumnSpec>& specs() const { return specs_; }
  std::int64_t features() const { return features_; }
  /// The names of the features: "x", "side=left", "x missing".
  std::vector<std::string> names() const;
  /// Of each feature in the training part, or of its logarithm with SeriesSettings::log; 0 and 1
  /// for features of texts and marks.
  const std::vector<double>& mean() const { return mean_; }
  const std::vector<double>& std() const { return std_; }
  /// Texts of other parts than the training part that it lacks: a sentence, or nothing.
  std::string unknown_texts() const;

  /// Writes the features of `steps` steps, (steps, features). `series` has the values of the series
  /// from its first step, (T, C), of which `first` is the first to write. `start`: its first step
  /// among those of all series.
  template <class T>
  void encode(std::span<const float> series, std::int64_t start, std::int64_t first,
              std::int64_t steps, T* to) const;

 private:
  struct Column {
    std::int64_t source = 0;  // of the recordings
    std::int64_t first = 0;   // feature
    /// Of a text column: the feature of each text of the recordings, counted from `first`; -1:
    /// none.
    std::vector<std::int32_t> feature_of = {};
    std::int64_t texts = 0;  // features of texts
    bool marked = false;
    float fill = 0;

    /// The feature of a text that is not missing, counted from `first`; -1: none.
    std::int32_t feature(float value) const { return feature_of[static_cast<std::size_t>(value)]; }
  };

  void number_features();
  void match_texts(const RecordedColumn& recorded, const spec::ColumnSpec& spec, Column& column);
  void check_type(const Recordings& recordings, std::span<const std::int64_t> starts,
                  const Column& column, const std::vector<bool>& trained) const;
  void check_texts(const Recordings& recordings, const Column& column) const;
  void measure(const Recordings& recordings, std::span<const std::int64_t> starts,
               const SeriesPart& train);
  void check_missing(const Recordings& recordings, std::span<const std::int64_t> starts,
                     const SeriesParts& parts) const;
  void count_unknown(const Recordings& recordings, std::span<const std::int64_t> starts,
                     const SeriesParts& parts);
  template <class T>
  void encode_column(const Column& column, std::span<const float> series, std::int64_t start,
                     std::int64_t first, std::int64_t steps, T* to) const;
  void find_last(const Recordings& recordings);
  float last_before(const Column& column, std::span<const float> series, std::int64_t start,
                    std::int64_t first) const;

  std::vector<spec::ColumnSpec> specs_;
  std::vector<Column> columns_;
  std::vector<double> mean_, std_;
  std::vector<std::int64_t> unknown_;  // values of each column
  // (blocks of steps, columns of the recordings): the last step before with a value; -1: none.
  std::vector<std::int64_t> last_;
  std::int64_t width_ = 0;  // columns of the recordings
  std::int64_t features_ = 0;
  bool fills_ = false, previous_ = false;  // missing values
  bool log_ = false;                       // the model takes the logarithm before it scales
  bool plain_ = false;                     // features are the columns, none is missing
};

/// A standard deviation to divide by: 1 instead of one that f32 has as 0.
double divisor(double std);

}  // namespace unroll::data
