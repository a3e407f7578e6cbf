#include "nn/scale.h"

#include <fmt/format.h>

#include "autograd/node.h"
#include "core/float_environment.h"
#include "core/parallel.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;

/// y = f(x, feature) for all numbers of x. Features of x are adjacent.
template <class T, class F>
void for_features(const Tensor& x, const Tensor& y, F&& f) {
  constexpr std::size_t kElementsPerTask = std::size_t{1} << 14;
  const T* const from = x.data<T>();
  T* const to = y.data<T>();
  const auto features = static_cast<std::size_t>(x.size(-1));
  parallel_pieces(static_cast<std::size_t>(x.numel()), kElementsPerTask,
                  [&](std::size_t begin, std::size_t end) {
                    for (std::size_t i = begin, j = begin % features; i < end; ++i) {
                      to[i] = f(from[i], j);
                      if (++j == features) j = 0;
                    }
                  });
}

}  // namespace

Tensor scale(const Tensor& x, const Tensor& mean, const Tensor& std) {
  for (const Tensor* each : {&mean, &std})
    if (x.rank() == 0 || each->shape() != Shape{x.size(-1)} || each->dtype() != x.dtype())
      throw ShapeError("scale",
                       fmt::format("mean and std have shapes {} and {}, the input has "
                                   "shape {}; expected one number for each feature",
                                   mean.shape().str(), std.shape().str(), x.shape().str()));
  const FloatEnvironment environment;
  const Tensor in = x.detach().contiguous(), by = std.detach().contiguous(),
               from = mean.detach().contiguous();
  const Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch("scale", x.dtype(), [&]<class T>(T*) {
    const T *const m = from.data<T>(), *const s = by.data<T>();
    for_features<T>(in, y, [=](T value, std::size_t j) { return (value - m[j]) / s[j]; });
  });
  return autograd::with_backward(
      y,
      [by, shape = x.shape()](const Gradient& g, std::span<Gradient> inputs) {
        const Tensor dy = g.dense(shape);
        inputs[0].value = Tensor::empty(shape, dy.dtype());
        dispatch("scale", dy.dtype(), [&]<class T>(T*) {
          const T* const s = by.data<T>();
          for_features<T>(dy, inputs[0].value,
                          [=](T value, std::size_t j) { return value / s[j]; });
        });
      },
      x);
}

}  // namespace unroll::nn
