#include "train/loss.h"

#include <fmt/format.h>

#include <algorithm>

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

}  // namespace

Tensor losses_of(spec::Output kind, const Tensor& outputs, const Tensor& targets) {
  constexpr nn::Reduction none = nn::Reduction::none;
  if (kind == spec::Output::values) return nn::mse_loss(outputs, targets, none);
  if (kind == spec::Output::logits) {
    const bool every_step = outputs.rank() == 3 && targets.shape() == outputs.shape().without(2);
    return nn::cross_entropy(every_step ? outputs.view({-1, outputs.size(2)}) : outputs,
                             every_step ? targets.view({-1}) : targets,
                             {.ignore_index = data::no_target, .reduction = none});
  }
  if (outputs.rank() != 2 || targets.shape() != Shape{outputs.size(0)})
    throw ShapeError("loss", fmt::format("outputs of shape {} and labels of shape {}, expected "
                                         "[batch, classes] and [batch]",
                                         outputs.shape().str(), targets.shape().str()));
  return nn::mse_loss(outputs, one_hot(targets, outputs), none);
}

std::int64_t count_losses(spec::Output kind, const Tensor& targets, std::int64_t outputs) {
  if (kind == spec::Output::values) return targets.numel();
  if (kind == spec::Output::scores) return targets.numel() * outputs;
  const auto values = targets.values<std::int64_t>();
  return std::ranges::count_if(values, [](std::int64_t t) { return t != data::no_target; });
}

std::string_view loss_name(spec::Output kind) {
  return kind == spec::Output::logits ? "cross-entropy" : "mean squared error";
}

}  // namespace unroll::train
