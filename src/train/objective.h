// The loss and the metrics that follow from what a model is to answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "data/source.h"
#include "train/evaluation.h"
#include "unroll/nn/loss.h"
#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll::train {

/// | target               | loss, mean over the answers                   | metrics               |
/// | classes              | cross-entropy; of scores mean squared error   | accuracy, confusion   |
/// | values               | mean squared error                            | accuracy within the   |
/// |                      |                                               | tolerance, else mean  |
/// |                      |                                               | absolute error        |
/// | class of every step  | cross-entropy                                 | accuracy              |
/// | next token           | cross-entropy                                 | accuracy, perplexity  |
class Objective {
 public:
  /// Throws ShapeError where a model that gives `output` can't answer the target.
  Objective(data::TargetSpec target, spec::Output output);

  const data::TargetSpec& target() const { return target_; }
  std::string_view loss_name() const;
  /// Of the targets' answers: outputs (N, C), or (N, T, C) at every step. Throws what loss_of()
  /// throws.
  Tensor loss(const Tensor& outputs, const Tensor& targets,
              nn::Reduction reduction = nn::Reduction::mean) const;

  /// Sums over the batches of a test.
  class Score {
   public:
    explicit Score(const Objective& objective);
    /// Outputs f32 or f64.
    void add(const Tensor& outputs, const Tensor& targets);
    Evaluation result() const;

   private:
    template <class T>
    void count(const Tensor& outputs, const Tensor& targets);

    const Objective& objective_;
    double loss_ = 0, absolute_error_ = 0;
    std::int64_t terms_ = 0;  // of the loss
    std::int64_t correct_ = 0, total_ = 0;
    std::optional<ConfusionMatrix> confusion_;
  };

 private:
  data::TargetSpec target_;
  spec::Output output_;
};

}  // namespace unroll::train
