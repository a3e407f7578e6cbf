// The loss and the metrics, which follow from the model's target.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "data/source.h"
#include "train/evaluation.h"
#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// | target               | loss (mean over the answers)                  | metrics               |
/// | classes              | cross-entropy; for scores mean squared error  | accuracy, confusion   |
/// | values               | mean squared error                            | accuracy within the   |
/// |                      |                                               | tolerance; without a  |
/// |                      |                                               | tolerance, mean       |
/// |                      |                                               | absolute error        |
/// | class of every step  | cross-entropy                                 | accuracy              |
/// | next token           | cross-entropy                                 | accuracy, perplexity  |
class Objective {
 public:
  /// Throws ShapeError if `output` is the wrong kind of output for the target.
  Objective(data::TargetSpec target, spec::Output output);

  const data::TargetSpec& target() const { return target_; }
  std::string_view loss_name() const;
  /// The share that outputs (N, C), or (N, T, C) for an answer at every step, have in the loss of
  /// their batch, which is a mean of `terms` numbers. Throws the errors of losses_of().
  Tensor loss(const Tensor& outputs, const Tensor& targets, std::int64_t terms) const;
  /// How many numbers the loss of a batch with these targets is the mean of.
  std::int64_t terms(const Tensor& targets) const;

  /// Sums over the batches of a test.
  class Score {
   public:
    explicit Score(const Objective& objective);
    /// The outputs may be f32 or f64.
    void add(const Tensor& outputs, const Tensor& targets);
    Evaluation result() const;

   private:
    template <class T>
    void count(const Tensor& outputs, const Tensor& targets);

    const Objective& objective_;
    double loss_ = 0, absolute_error_ = 0;
    std::int64_t terms_ = 0;  // number of terms in loss_
    std::int64_t correct_ = 0, total_ = 0;
    std::optional<ConfusionMatrix> confusion_;
  };

 private:
  data::TargetSpec target_;
  spec::Output output_;
};

}  // namespace unroll::train
