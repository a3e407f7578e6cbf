#include "unroll/nn/loss.h"

#include <fmt/format.h>

#include "autograd/node.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;

Tensor reduce(const Tensor& each, Reduction reduction) {
  switch (reduction) {
    case Reduction::mean:
      return mean(each);
    case Reduction::sum:
      return sum(each);
    case Reduction::none:
      break;
  }
  return each;
}

/// -x[i][target[i]] of each row; x is (N, C).
Tensor negative_log_likelihood(const Tensor& x, const Tensor& target) {
  const std::int64_t count = x.size(0), classes = x.size(1);
  const Tensor wanted = target.contiguous();
  for (std::int64_t i = 0; const std::int64_t t : wanted.values<std::int64_t>()) {
    if (t < 0 || t >= classes)
      throw ValueError("cross_entropy",
                       fmt::format("target {} at index {}, expected 0 to {}", t, i, classes - 1));
    ++i;
  }
  Tensor each = Tensor::empty({count}, x.dtype());
  dispatch("cross_entropy", x.dtype(), [&]<class T>(T*) {
    const auto in = x.values<T>();
    const auto out = each.values<T>();
    const auto at = wanted.values<std::int64_t>();
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = -in[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(at[i])];
  });
  return autograd::with_backward(
      each,
      [wanted, count, classes](const Gradient& g, std::span<Gradient> inputs) {
        const Tensor dense = g.dense({count});
        const Tensor result = Tensor::zeros({count, classes}, dense.dtype());
        dispatch("cross_entropy", dense.dtype(), [&]<class T>(T*) {
          const auto from = dense.values<T>();
          const auto to = result.values<T>();
          const auto at = wanted.values<std::int64_t>();
          for (std::size_t i = 0; i < from.size(); ++i)
            to[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(at[i])] = -from[i];
        });
        inputs[0].value = result;
      },
      x);
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& target, Reduction reduction) {
  if (logits.rank() != 2)
    throw ShapeError("cross_entropy", fmt::format("logits have shape {}, expected [batch, classes]",
                                                  logits.shape().str()));
  if (target.dtype() != DType::i64 || target.shape() != Shape{logits.size(0)})
    throw ShapeError("cross_entropy",
                     fmt::format("target is {} of shape {}, expected i64 of shape "
                                 "[{}]",
                                 name_of(target.dtype()), target.shape().str(), logits.size(0)));
  return reduce(negative_log_likelihood(log_softmax(logits), target), reduction);
}

Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  const Tensor difference = input - target;
  return reduce(difference * difference, reduction);
}

}  // namespace unroll::nn
