// Scores of predicted classes, for any number of classes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace unroll::train {

/// Sums over samples. Definitions: scikit-learn's f1_score(average="macro"),
/// balanced_accuracy_score, roc_auc_score(multi_class="ovr", average="macro").
class ClassMetrics {
 public:
  explicit ClassMetrics(std::int64_t classes) : counts_(static_cast<std::size_t>(classes)) {}

  void add(std::int64_t truth, std::int64_t predicted);
  /// Also keeps the probability of each class, for auroc(). `outputs` are logits of
  /// `probabilities`.
  void add(std::int64_t truth, std::int64_t predicted, std::span<const double> outputs,
           std::span<const double> probabilities);

  /// The mean of 2 precision recall / (precision + recall) over the classes that samples have, or
  /// were predicted to have.
  double macro_f1() const;
  /// The mean recall of the classes that samples have.
  double balanced_accuracy() const;
  /// The area under the curve of hits over false alarms: the probability that a sample of a class
  /// gets a higher score for it than another sample; ties count half. For two classes that of the
  /// second one, else the mean over the classes that samples have. Nothing if all samples have one
  /// class, if a score is not a number, or if there are too many to keep their scores.
  std::optional<double> auroc() const;

 private:
  struct Counts {
    std::int64_t present = 0, predicted = 0, hits = 0;
  };
  double area(std::size_t of) const;

  std::vector<Counts> counts_;  // of each class
  std::vector<std::size_t> truths_;
  std::vector<double> scores_;  // (samples, classes), or (samples, 1) for two classes
  bool too_many_ = false, has_nan_ = false;
};

}  // namespace unroll::train
