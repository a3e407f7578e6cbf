// The result of testing a model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/inside.h"
#include "unroll/data/dataset.h"

namespace unroll::train {

/// One number of a test, with its name.
struct Metric {
  std::string name;       // "accuracy"
  double value = 0;       // in the unit; a share is 100 correct / total
  std::string unit = {};  // "%"; may be empty
  bool larger_is_better = true;
  std::int64_t correct = 0, total = 0;  // total is 0 if the metric is no share
  std::string counted = "correct";      // a noun for the correct answers: "sums within 0.04"

  bool is_share() const { return total > 0; }
  std::string key() const;  // the name in JSON: "mean_absolute_error", "macro_f1"
};

/// A metric with this key, without its value. An unknown one is no share, and less of it is better.
Metric metric_with_key(std::string_view key);

/// Counts of (true class, predicted class), and the scores computed from them.
struct ConfusionMatrix {
  explicit ConfusionMatrix(std::int64_t class_count)
      : classes(class_count), counts(static_cast<std::size_t>(classes * classes)) {}

  void add(std::int64_t truth, std::int64_t predicted) {
    ++counts[static_cast<std::size_t>(truth * classes + predicted)];
  }
  std::int64_t at(std::int64_t truth, std::int64_t predicted) const {
    return counts[static_cast<std::size_t>(truth * classes + predicted)];
  }
  struct Scores {
    double precision, recall, f1;  // 0 if their denominator is 0
    std::int64_t count;            // samples of the class
  };
  Scores scores(std::int64_t of) const;

  std::int64_t classes;
  std::vector<std::int64_t> counts;  // (classes, classes)
};

/// The result of a simple prediction on the same samples: "most frequent class", "training mean".
struct Baseline {
  std::string title;
  std::string metric;  // the name of the metric that it has: "accuracy"
  double value = 0;    // in that metric's unit
};

/// The 95 % confidence interval of a share, in percent. Source: Wilson 1927,
/// doi:10.1080/01621459.1927.10502953.
struct Interval {
  double low = 0, high = 100;
};
Interval interval_of(const Metric& share);

/// "training", "test" or "validation".
std::string_view name_of(data::Split part);

struct Evaluation {
  double loss = 0;             // mean over all answers
  std::string loss_name = {};  // "cross-entropy"
  std::vector<Metric> metrics = {};
  std::vector<Baseline> baselines = {};           // only of the last test of a run
  data::Split part = data::Split::test;           // the part that was tested
  std::optional<ConfusionMatrix> confusion = {};  // for classes, if there are not too many
  std::optional<Inside> inside = {};              // of a model in training
  bool detailed = false;                          // see TargetSpec::detailed

  /// Null if there is none with this name.
  const Metric* metric(std::string_view name) const;
  /// The metric "accuracy". If there is none, returns one with a total of 0.
  const Metric& accuracy() const;
};

}  // namespace unroll::train
