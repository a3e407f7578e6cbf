// The loss and the metrics, which follow from the model's target.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/source.h"
#include "train/class_metrics.h"
#include "train/evaluation.h"
#include "train/loss.h"
#include "train/series_score.h"
#include "train/value_metrics.h"
#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// | target               | loss (mean over the answers)                  | metrics               |
/// | classes              | cross-entropy, weighted by class; for scores  | accuracy, confusion   |
/// |                      | mean squared error                            |                       |
/// | values               | a ValueLoss, mostly mean squared error        | accuracy within the   |
/// |                      |                                               | tolerance; without a  |
/// |                      |                                               | tolerance, mean       |
/// |                      |                                               | absolute error        |
/// | class of every step  | cross-entropy, weighted by class              | accuracy              |
/// | next token           | cross-entropy                                 | accuracy, perplexity  |
///
/// The metrics of a target that is `detailed`:
///
/// | classes              | accuracy, macro-F1, balanced accuracy, AUROC; confusion |
/// | values (every step)  | RMSE, mean absolute error, R2: in the unit of targets   |
/// | class of every step  | accuracy, macro-F1; confusion                           |
/// | windows of series    | also: accuracy of series, or RMSE of series             |
class Objective {
 public:
  /// `label_smoothing` is for logits in training: see nn::CrossEntropyOptions. Throws ShapeError if
  /// `output` is the wrong kind of output for the target.
  Objective(data::TargetSpec target, spec::Output output, ValueLoss of_values = ValueLoss::mse,
            double label_smoothing = 0);

  const data::TargetSpec& target() const { return target_; }
  std::string loss_name() const;
  /// The share that outputs (N, C), or (N, T, C) for an answer at every step, have in the loss of
  /// their batch in training, which is a sum divided by `terms`. 0 if terms is 0. Throws the errors
  /// of losses_of().
  Tensor loss(const Tensor& outputs, const Tensor& targets, double terms) const;
  /// The loss of each answer in a test: label smoothing is left out.
  Tensor losses(const Tensor& outputs, const Tensor& targets) const;
  /// What the sum of a batch with these targets is divided by. See count_losses().
  double terms(const Tensor& targets) const;

  /// Sums over the batches of a test.
  class Score {
   public:
    /// `series_of`: see Source::series_of(); of all samples that will be added, in their order.
    explicit Score(const Objective& objective, std::span<const std::int64_t> series_of = {});
    /// The outputs may be f32 or f64.
    void add(const Tensor& outputs, const Tensor& targets);
    Evaluation result() const;

   private:
    template <class T>
    void count_classes(std::span<const T> outputs, std::span<const std::int64_t> targets);
    template <class T>
    void count_values(std::span<const T> outputs, std::span<const T> targets);
    std::vector<Metric> value_metrics() const;
    void add_details(std::vector<Metric>& to) const;

    const Objective& objective_;
    std::span<const std::int64_t> series_of_;
    std::size_t samples_ = 0;  // added so far
    double loss_ = 0, absolute_error_ = 0;
    double terms_ = 0;  // what loss_ is divided by
    std::int64_t correct_ = 0, total_ = 0;
    std::optional<ConfusionMatrix> confusion_;
    // Only for detailed results.
    std::optional<ClassMetrics> classes_;
    std::optional<ValueMetrics> values_;
    std::optional<SeriesScore> series_;
    std::vector<double> outputs_row_, probabilities_, targets_row_;  // of one answer
  };

 private:
  const LossOptions& loss_options(DType dtype) const;

  data::TargetSpec target_;
  spec::Output output_;
  ValueLoss of_values_;
  double label_smoothing_;
  LossOptions f32_, f64_;
};

}  // namespace unroll::train
