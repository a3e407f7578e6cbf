#include <fmt/format.h>

#include "autograd/elementwise.h"
#include "autograd/node.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/nn/loss.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;

void check_cross_entropy(const Tensor& logits, const Tensor& target,
                         const CrossEntropyOptions& options) {
  if (logits.rank() != 2)
    throw ShapeError("cross_entropy", fmt::format("logits have shape {}, expected [batch, classes]",
                                                  logits.shape().str()));
  if (target.dtype() != DType::i64 || target.shape() != Shape{logits.size(0)})
    throw ShapeError("cross_entropy",
                     fmt::format("target is {} of shape {}, expected i64 of shape [{}]",
                                 name_of(target.dtype()), target.shape().str(), logits.size(0)));
  const Tensor& weight = options.weight;
  if (weight.defined() &&
      (weight.shape() != Shape{logits.size(1)} || weight.dtype() != logits.dtype()))
    throw ShapeError("cross_entropy", fmt::format("weight is {} of shape {}, expected {} of shape "
                                                  "[{}], one for each class",
                                                  name_of(weight.dtype()), weight.shape().str(),
                                                  name_of(logits.dtype()), logits.size(1)));
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
    throw ValueError("cross_entropy", fmt::format("label_smoothing is {}, expected 0 to 1",
                                                  options.label_smoothing));
  const std::int64_t classes = logits.size(1);
  const Tensor wanted = target.contiguous();
  for (std::int64_t i = 0; const std::int64_t t : wanted.values<std::int64_t>()) {
    if ((t < 0 || t >= classes) && t != options.ignore_index)
      throw ValueError("cross_entropy",
                       fmt::format("target {} at index {}, expected 0 to {}", t, i, classes - 1));
    ++i;
  }
}

/// Targets and class weights for the rows of x (N, C).
struct Targets {
  Tensor classes;  // (N)
  Tensor weight;   // (C) or undefined
  std::int64_t ignored;
  double smoothing;

  /// Calls f(row, target) for each row that is not ignored.
  template <class F>
  void for_each(F&& f) const {
    const auto all = classes.values<std::int64_t>();
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i] != ignored) f(i, static_cast<std::size_t>(all[i]));
  }
  template <class T>
  T weight_of(std::size_t c) const {
    return weight.defined() ? weight.data<T>()[c] : T{1};
  }
  double total_weight(DType dtype) const {
    double total = 0;
    dispatch("cross_entropy", dtype, [&]<class T>(T*) {
      for_each([&](std::size_t, std::size_t t) { total += static_cast<double>(weight_of<T>(t)); });
    });
    return total;
  }
};

/// The loss of each row of x, which holds logarithms of probabilities.
Tensor row_losses(const Tensor& x, const Targets& targets) {
  const Tensor in = x.detach();
  const Shape shape = x.shape();
  const auto count = static_cast<std::size_t>(shape[1]);
  const double share = targets.smoothing / static_cast<double>(count);
  Tensor each = Tensor::zeros({shape[0]}, x.dtype());
  dispatch("cross_entropy", x.dtype(), [&]<class T>(T*) {
    const auto out = each.values<T>();
    targets.for_each([&](std::size_t row, std::size_t t) {
      const T* const logs = in.data<T>() + row * count;
      const T on_target = static_cast<T>(1 - targets.smoothing) * targets.weight_of<T>(t);
      out[row] = -(on_target * logs[t]);
      if (share == 0) return;
      double sum = 0;
      for (std::size_t c = 0; c < count; ++c)
        sum += static_cast<double>(targets.weight_of<T>(c)) * static_cast<double>(logs[c]);
      out[row] -= static_cast<T>(share * sum);
    });
  });
  return autograd::with_backward(
      each,
      [targets, shape, count, share](const Gradient& g, std::span<Gradient> inputs) {
        const Tensor dense = g.dense({shape[0]});
        const Tensor result = Tensor::zeros(shape, dense.dtype());
        dispatch("cross_entropy", dense.dtype(), [&]<class T>(T*) {
          const auto from = dense.values<T>();
          targets.for_each([&](std::size_t row, std::size_t t) {
            T* const to = result.data<T>() + row * count;
            if (share != 0)
              for (std::size_t c = 0; c < count; ++c)
                to[c] = -(static_cast<T>(share) * targets.weight_of<T>(c) * from[row]);
            to[t] -= static_cast<T>(1 - targets.smoothing) * targets.weight_of<T>(t) * from[row];
          });
        });
        inputs[0].value = result;
      },
      x);
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& target,
                     const CrossEntropyOptions& options) {
  check_cross_entropy(logits, target, options);
  const FloatEnvironment environment;
  const Targets targets{target.contiguous(),
                        options.weight.defined() ? options.weight.detach().contiguous() : Tensor(),
                        options.ignore_index, options.label_smoothing};
  const Tensor each = row_losses(log_softmax(logits), targets);
  switch (options.reduction) {
    case Reduction::mean:
      return autograd::scaled_sum("cross_entropy", each, 1 / targets.total_weight(each.dtype()));
    case Reduction::sum:
      return sum(each);
    case Reduction::none:
      break;
  }
  return each;
}

}  // namespace unroll::nn
