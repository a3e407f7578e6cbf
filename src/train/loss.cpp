#include "train/loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "autograd/elementwise.h"
#include "autograd/node.h"
#include "core/float_environment.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"
#include "unroll/data/sequence_tasks.h"
#include "unroll/nn/loss.h"

namespace unroll::train {
namespace {

/// 1 for each row's class and 0 elsewhere, in the shape and type of `outputs`.
Tensor one_hot(const Tensor& labels, const Tensor& outputs) {
  const Tensor result = Tensor::zeros(outputs.shape(), outputs.dtype());
  const auto classes = static_cast<std::size_t>(outputs.size(-1));
  dispatch("loss", outputs.dtype(), [&]<class T>(T*) {
    T* row = result.data<T>();
    for (const std::int64_t label : labels.values<std::int64_t>()) {
      if (label < 0 || label >= outputs.size(-1))
        throw ValueError("loss", fmt::format("label {}, expected 0 to {}", label, classes - 1));
      row[label] = 1;
      row += classes;
    }
  });
  return result;
}

/// (output - target) / std, feature by feature; 0 where the target is NaN. The gradient flows to
/// the outputs.
Tensor differences(const Tensor& outputs, const Tensor& targets, const Tensor& std) {
  autograd::check_equal("loss", outputs, targets);
  if (std.defined() && (outputs.rank() == 0 || std.shape() != Shape{outputs.size(-1)}))
    throw ShapeError("loss", fmt::format("outputs of shape {} and standard deviations of shape {}, "
                                         "expected one for each output",
                                         outputs.shape().str(), std.shape().str()));
  const FloatEnvironment environment;
  const Tensor out = outputs.detach().contiguous(), wanted = targets.detach().contiguous();
  const Tensor result = Tensor::empty(outputs.shape(), outputs.dtype());
  const std::size_t width = std.defined() ? static_cast<std::size_t>(std.numel()) : 1;
  dispatch("loss", outputs.dtype(), [&]<class T>(T*) {
    const T *const x = out.data<T>(), *const t = wanted.data<T>();
    const T* const s = std.defined() ? std.data<T>() : nullptr;
    T* const to = result.data<T>();
    for (std::size_t i = 0; i < static_cast<std::size_t>(out.numel()); ++i)
      to[i] = std::isnan(t[i]) ? T{0} : (x[i] - t[i]) / (s ? s[i % width] : T{1});
  });
  return autograd::with_backward(
      result,
      [wanted, std, width](const autograd::Gradient& g, std::span<autograd::Gradient> inputs) {
        const Tensor dy = g.dense(wanted.shape());
        inputs[0].value = Tensor::empty(wanted.shape(), dy.dtype());
        dispatch("loss", dy.dtype(), [&]<class T>(T*) {
          const T *const from = dy.data<T>(), *const t = wanted.data<T>();
          const T* const s = std.defined() ? std.data<T>() : nullptr;
          T* const to = inputs[0].value.template data<T>();
          for (std::size_t i = 0; i < static_cast<std::size_t>(dy.numel()); ++i)
            to[i] = std::isnan(t[i]) ? T{0} : from[i] / (s ? s[i % width] : T{1});
        });
      },
      outputs);
}

Tensor value_losses(const Tensor& outputs, const Tensor& targets, const LossOptions& options) {
  const Tensor difference = differences(outputs, targets, options.std);
  const Tensor zero = Tensor::zeros(difference.shape(), difference.dtype());
  switch (options.of_values) {
    case ValueLoss::mae:
      return nn::l1_loss(difference, zero, nn::Reduction::none);
    case ValueLoss::huber:
      return nn::huber_loss(difference, zero, nn::Reduction::none);
    case ValueLoss::mse:
      break;
  }
  return nn::mse_loss(difference, zero, nn::Reduction::none);
}

}  // namespace

Tensor losses_of(spec::Output kind, const Tensor& outputs, const Tensor& targets,
                 const LossOptions& options) {
  if (kind == spec::Output::values) return value_losses(outputs, targets, options);
  if (kind == spec::Output::logits) {
    const bool every_step = outputs.rank() == 3 && targets.shape() == outputs.shape().without(2);
    return nn::cross_entropy(every_step ? outputs.view({-1, outputs.size(2)}) : outputs,
                             every_step ? targets.view({-1}) : targets,
                             {.weight = options.class_weights,
                              .ignore_index = data::no_target,
                              .reduction = nn::Reduction::none,
                              .label_smoothing = options.label_smoothing});
  }
  if (outputs.rank() != 2 || targets.shape() != Shape{outputs.size(0)})
    throw ShapeError("loss", fmt::format("outputs of shape {} and labels of shape {}, expected "
                                         "[batch, classes] and [batch]",
                                         outputs.shape().str(), targets.shape().str()));
  return nn::mse_loss(outputs, one_hot(targets, outputs), nn::Reduction::none);
}

double count_losses(spec::Output kind, const Tensor& targets, std::int64_t outputs,
                    const LossOptions& options) {
  if (kind == spec::Output::scores) return static_cast<double>(targets.numel() * outputs);
  double count = 0;
  if (kind == spec::Output::values) {
    dispatch("loss", targets.dtype(), [&]<class T>(T*) {
      for (const T t : targets.values<T>()) count += std::isnan(t) ? 0 : 1;
    });
    return count;
  }
  const auto classes = targets.values<std::int64_t>();
  const Tensor& weights = options.class_weights;
  if (!weights.defined())
    return static_cast<double>(
        std::ranges::count_if(classes, [](std::int64_t t) { return t != data::no_target; }));
  dispatch("loss", weights.dtype(), [&]<class T>(T*) {
    const auto of = weights.values<T>();
    for (const std::int64_t t : classes)
      if (t >= 0 && t < weights.numel())  // losses_of() refuses other classes
        count += static_cast<double>(of[static_cast<std::size_t>(t)]);
  });
  return count;
}

std::string loss_name(spec::Output kind, ValueLoss of_values, bool scaled) {
  if (kind == spec::Output::logits) return "cross-entropy";
  const std::string start = scaled ? "scaled " : "";
  switch (of_values) {
    case ValueLoss::mae:
      return start + "mean absolute error";
    case ValueLoss::huber:
      return start + "Huber loss";
    case ValueLoss::mse:
      break;
  }
  return start + "mean squared error";
}

}  // namespace unroll::train
