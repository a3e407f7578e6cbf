// What a test of a model tells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::train {

/// One number of a test, by its name.
struct Metric {
  std::string name;       // "accuracy"
  double value = 0;       // in the unit; of a share 100 correct / total
  std::string unit = {};  // "%"; may be empty
  bool larger_is_better = true;
  std::int64_t correct = 0, total = 0;  // of a share; otherwise the total is 0
  std::string counted = "correct";      // of a share: what `correct` are, "sums within 0.04"

  bool is_share() const { return total > 0; }
  std::string key() const;  // the name in JSON: "mean_absolute_error"
};

/// Counts of (true class, predicted class), and what is read off them.
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
    double precision, recall, f1;  // 0 where nothing was predicted or present
    std::int64_t count;            // samples of the class
  };
  Scores scores(std::int64_t of) const;

  std::int64_t classes;
  std::vector<std::int64_t> counts;  // (classes, classes)
};

struct Evaluation {
  double loss = 0;             // mean over all answers
  std::string loss_name = {};  // "cross-entropy"
  std::vector<Metric> metrics = {};
  std::optional<ConfusionMatrix> confusion = {};  // of classes, if they are not too many

  /// The share of right answers; without one, a metric of that name with a total of 0.
  const Metric& accuracy() const;
};

}  // namespace unroll::train
