#include "train/objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "autograd/elementwise.h"
#include "core/numerics.h"
#include "tensor/tensor_impl.h"
#include "train/probabilities.h"
#include "unroll/core/error.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::train {
namespace {

using Kind = data::TargetSpec::Kind;

// The most classes of a confusion matrix: nobody reads a larger one.
constexpr std::int64_t kMostConfused = 256;

/// Undefined for no numbers.
Tensor numbers_for(const std::vector<double>& numbers, DType dtype) {
  if (numbers.empty()) return {};
  return Tensor::from(numbers, {static_cast<std::int64_t>(numbers.size())}).to(dtype);
}

LossOptions options_of(const data::TargetSpec& target, ValueLoss of_values, DType dtype) {
  return {.of_values = of_values,
          .std = numbers_for(target.std, dtype),
          .class_weights = numbers_for(target.class_weights, dtype)};
}

}  // namespace

Objective::Objective(data::TargetSpec target, spec::Output output, ValueLoss of_values,
                     double label_smoothing)
    : target_(std::move(target)),
      output_(output),
      of_values_(of_values),
      label_smoothing_(label_smoothing),
      f32_(options_of(target_, of_values, DType::f32)),
      f64_(options_of(target_, of_values, DType::f64)) {
  const bool values = target_.has_values();
  if (values != (output == spec::Output::values) ||
      (target_.every_step() && !values && output != spec::Output::logits))
    throw ShapeError("eval", fmt::format("the model gives {}, but the data's targets are {}",
                                         spec::name_of(output), values ? "values" : "classes"));
  if (label_smoothing > 0 && output != spec::Output::logits)
    throw ValueError("label-smoothing",
                     fmt::format("the model gives {}, expected logits of classes; leave it out",
                                 spec::name_of(output)));
}

std::string Objective::loss_name() const {
  return train::loss_name(output_, of_values_, !target_.std.empty());
}

const LossOptions& Objective::loss_options(DType dtype) const {
  return dtype == DType::f64 ? f64_ : f32_;
}

Tensor Objective::losses(const Tensor& outputs, const Tensor& targets) const {
  return losses_of(output_, outputs, targets, loss_options(outputs.dtype()));
}

Tensor Objective::loss(const Tensor& outputs, const Tensor& targets, double terms) const {
  LossOptions options = loss_options(outputs.dtype());
  options.label_smoothing = label_smoothing_;
  return autograd::scaled_sum("loss", losses_of(output_, outputs, targets, options),
                              terms == 0 ? 0 : 1 / terms);
}

double Objective::terms(const Tensor& targets) const {
  return count_losses(output_, targets, target_.size, f64_);
}

Objective::Score::Score(const Objective& objective, std::span<const std::int64_t> series_of)
    : objective_(objective), series_of_(series_of) {
  const data::TargetSpec& target = objective.target_;
  const bool classes = target.kind == Kind::classes;
  if ((classes || (target.detailed && target.kind == Kind::step_classes)) &&
      target.size <= kMostConfused)
    confusion_.emplace(target.size);
  if (!target.detailed) return;
  if (target.has_values())
    values_.emplace(target.size);
  else
    classes_.emplace(target.size);
  if (!series_of.empty() && !target.every_step())
    series_.emplace(static_cast<std::size_t>(target.size));
}

void Objective::Score::add(const Tensor& outputs, const Tensor& targets) {
  const FloatEnvironment environment;
  const Tensor losses = objective_.losses(outputs, targets);
  dispatch("eval", outputs.dtype(), [&]<class T>(T*) {
    const auto values = losses.values<T>();
    loss_ += static_cast<T>(std::accumulate(values.begin(), values.end(), 0.0));
    if (objective_.target_.has_values())
      count_values<T>(outputs.values<T>(), targets.values<T>());
    else
      count_classes<T>(outputs.values<T>(), targets.values<std::int64_t>());
  });
  terms_ += objective_.terms(targets);
  samples_ += static_cast<std::size_t>(outputs.size(0));
}

template <class T>
void Objective::Score::count_values(std::span<const T> outputs, std::span<const T> targets) {
  const data::TargetSpec& target = objective_.target_;
  const auto width = static_cast<std::size_t>(target.size);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (std::isnan(targets[i])) continue;
    correct_ += std::abs(outputs[i] - targets[i]) < target.tolerance;
    absolute_error_ += static_cast<double>(std::abs(outputs[i] - targets[i]));
    ++total_;
    if (values_)
      values_->add(i % width, static_cast<double>(outputs[i]), static_cast<double>(targets[i]));
  }
  if (!series_) return;
  for (std::size_t i = 0; i < outputs.size(); i += width) {
    outputs_row_.assign(&outputs[i], &outputs[i] + width);
    targets_row_.assign(&targets[i], &targets[i] + width);
    series_->add(series_of_[samples_ + i / width], outputs_row_, targets_row_);
  }
}

template <class T>
void Objective::Score::count_classes(std::span<const T> outputs,
                                     std::span<const std::int64_t> targets) {
  const auto classes = static_cast<std::size_t>(objective_.target_.size);
  const bool scores = objective_.output_ == spec::Output::scores;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets[i] == data::no_target) continue;
    const auto row = outputs.subspan(i * classes, classes);
    // The first of several largest.
    const std::int64_t predicted = std::ranges::max_element(row) - row.begin();
    correct_ += predicted == targets[i];
    ++total_;
    if (confusion_) confusion_->add(targets[i], predicted);
    if (!classes_) continue;
    if (objective_.target_.every_step()) {
      classes_->add(targets[i], predicted);
      continue;
    }
    outputs_row_.assign(row.begin(), row.end());
    if (scores)
      probabilities_ = outputs_row_;
    else
      probabilities_of(row, probabilities_);
    classes_->add(targets[i], predicted, outputs_row_, probabilities_);
    if (series_) series_->add(series_of_[samples_ + i], probabilities_, targets[i]);
  }
}

std::vector<Metric> Objective::Score::value_metrics() const {
  const Metric absolute{.name = "mean absolute error",
                        .value = values_ ? values_->mean_absolute_error()
                                         : absolute_error_ / static_cast<double>(total_),
                        .larger_is_better = false};
  if (!values_) return {absolute};
  std::vector<Metric> all = {
      {.name = "RMSE", .value = values_->root_mean_squared_error(), .larger_is_better = false},
      absolute,
      {.name = "R2", .value = values_->r2()}};
  if (series_) all.push_back(series_->root_mean_squared_error());
  return all;
}

/// Appends what detailed results of classes have behind the accuracy.
void Objective::Score::add_details(std::vector<Metric>& to) const {
  to.push_back({.name = "macro-F1", .value = classes_->macro_f1()});
  if (!objective_.target_.every_step()) {
    to.push_back(
        {.name = "balanced accuracy", .value = 100 * classes_->balanced_accuracy(), .unit = "%"});
    if (const auto area = classes_->auroc()) to.push_back({.name = "AUROC", .value = *area});
  }
  if (series_) to.push_back(series_->accuracy());
}

Evaluation Objective::Score::result() const {
  const data::TargetSpec& target = objective_.target_;
  Evaluation e{.loss = loss_ / terms_,
               .loss_name = objective_.loss_name(),
               .confusion = confusion_,
               .detailed = target.detailed};
  if (target.has_values() && target.tolerance == 0) {
    e.metrics = value_metrics();
    return e;
  }
  Metric accuracy{.name = "accuracy",
                  .value = 100.0 * static_cast<double>(correct_) / static_cast<double>(total_),
                  .unit = "%",
                  .correct = correct_,
                  .total = total_};
  if (target.has_values())
    accuracy.counted = fmt::format("{} within {}", target.answers, target.tolerance);
  else if (!target.answers.empty())
    accuracy.counted = target.answers + " right";
  e.metrics.push_back(accuracy);
  if (target.kind == Kind::next_token)
    e.metrics.push_back(
        {.name = "perplexity", .value = numerics::exp(e.loss), .larger_is_better = false});
  if (classes_) add_details(e.metrics);
  return e;
}

}  // namespace unroll::train
