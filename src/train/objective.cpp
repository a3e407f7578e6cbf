#include "train/objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "autograd/elementwise.h"
#include "core/numerics.h"
#include "tensor/tensor_impl.h"
#include "train/loss.h"
#include "unroll/core/error.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::train {
namespace {

using Kind = data::TargetSpec::Kind;

// The most classes of a confusion matrix: nobody reads a larger one.
constexpr std::int64_t kMostConfused = 256;

}  // namespace

Objective::Objective(data::TargetSpec target, spec::Output output)
    : target_(std::move(target)), output_(output) {
  const bool values = target_.kind == Kind::values;
  if (values != (output == spec::Output::values) ||
      (target_.every_step() && output != spec::Output::logits))
    throw ShapeError("eval", fmt::format("the model gives {}, but the data's targets are {}",
                                         spec::name_of(output), values ? "values" : "classes"));
}

std::string_view Objective::loss_name() const { return train::loss_name(output_); }

Tensor Objective::loss(const Tensor& outputs, const Tensor& targets, std::int64_t terms) const {
  return autograd::scaled_sum("loss", losses_of(output_, outputs, targets),
                              1 / static_cast<double>(terms));
}

std::int64_t Objective::terms(const Tensor& targets) const {
  return count_losses(output_, targets, target_.size);
}

Objective::Score::Score(const Objective& objective) : objective_(objective) {
  const data::TargetSpec& target = objective.target_;
  if (target.kind == Kind::classes && target.size <= kMostConfused) confusion_.emplace(target.size);
}

void Objective::Score::add(const Tensor& outputs, const Tensor& targets) {
  const FloatEnvironment environment;
  const Tensor losses = losses_of(objective_.output_, outputs, targets);
  dispatch("eval", outputs.dtype(), [&]<class T>(T*) {
    const auto values = losses.values<T>();
    loss_ += static_cast<T>(std::accumulate(values.begin(), values.end(), 0.0));
    count<T>(outputs, targets);
  });
  terms_ += objective_.terms(targets);
}

template <class T>
void Objective::Score::count(const Tensor& outputs, const Tensor& targets) {
  const data::TargetSpec& target = objective_.target_;
  const auto out = outputs.values<T>();
  if (target.kind == Kind::values) {
    const auto wanted = targets.values<T>();
    for (std::size_t i = 0; i < out.size(); ++i) {
      correct_ += std::abs(out[i] - wanted[i]) < target.tolerance;
      absolute_error_ += static_cast<double>(std::abs(out[i] - wanted[i]));
    }
    total_ += targets.numel();
    return;
  }
  const auto wanted = targets.values<std::int64_t>();
  const auto classes = static_cast<std::size_t>(outputs.size(-1));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == data::no_target) continue;
    const auto row = out.subspan(i * classes, classes);
    // The first of several largest.
    const std::int64_t predicted = std::ranges::max_element(row) - row.begin();
    correct_ += predicted == wanted[i];
    ++total_;
    if (confusion_) confusion_->add(wanted[i], predicted);
  }
}

Evaluation Objective::Score::result() const {
  const data::TargetSpec& target = objective_.target_;
  Evaluation e{.loss = loss_ / static_cast<double>(terms_),
               .loss_name = std::string(objective_.loss_name()),
               .confusion = confusion_};
  const auto total = static_cast<double>(total_);
  if (target.kind == Kind::values && target.tolerance == 0) {
    e.metrics.push_back({.name = "mean absolute error",
                         .value = absolute_error_ / total,
                         .larger_is_better = false});
    return e;
  }
  Metric accuracy{.name = "accuracy",
                  .value = 100.0 * static_cast<double>(correct_) / total,
                  .unit = "%",
                  .correct = correct_,
                  .total = total_};
  if (target.kind == Kind::values)
    accuracy.counted = fmt::format("{} within {}", target.answers, target.tolerance);
  else if (!target.answers.empty())
    accuracy.counted = target.answers + " right";
  e.metrics.push_back(accuracy);
  if (target.kind == Kind::next_token)
    e.metrics.push_back(
        {.name = "perplexity", .value = numerics::exp(e.loss), .larger_is_better = false});
  return e;
}

}  // namespace unroll::train
