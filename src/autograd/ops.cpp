#include "unroll/autograd/ops.h"

#include <fmt/format.h>

#include "autograd/elementwise.h"
#include "autograd/node.h"
#include "core/float_environment.h"
#include "kernels/parallel_gemm.h"
#include "unroll/core/error.h"

namespace unroll {
namespace {

using autograd::Gradient;
using autograd::map;
using autograd::map2;
using autograd::scaled_sum;
using autograd::with_backward;

constexpr auto times = [](auto a, auto b) { return a * b; };

Tensor negated(const Tensor& x) {
  return map("neg", x, [](auto v) { return -v; });
}

/// a b for contiguous matrices, without history. a may be transposed: (K, M) in memory.
Tensor product(const Tensor& a, bool a_transposed, const Tensor& b) {
  const std::int64_t rows = a.size(a_transposed ? 1 : 0), columns = b.size(1);
  Tensor out = Tensor::empty({rows, columns}, a.dtype());
  dispatch("matmul", a.dtype(), [&]<class T>(T*) {
    const auto describe =
        a_transposed ? &kernels::transposed_product<T> : &kernels::dense_product<T>;
    kernels::parallel_gemm(
        describe(static_cast<std::size_t>(rows), static_cast<std::size_t>(b.size(0)),
                 static_cast<std::size_t>(columns), raw_data<T>(a), raw_data<T>(b), out.data<T>()));
  });
  return out;
}

}  // namespace

Tensor operator+(const Tensor& a, const Tensor& b) {
  return with_backward(
      map2("add", a, b, [](auto x, auto y) { return x + y; }),
      [](const Gradient& g, std::span<Gradient> inputs) { inputs[0] = inputs[1] = g; }, a, b);
}

Tensor operator-(const Tensor& a, const Tensor& b) {
  return with_backward(
      map2("sub", a, b, [](auto x, auto y) { return x - y; }),
      [](const Gradient& g, std::span<Gradient> inputs) {
        inputs[0] = g;
        inputs[1] = {negated(g.value), g.part};
      },
      a, b);
}

Tensor operator*(const Tensor& a, const Tensor& b) {
  return with_backward(
      map2("mul", a, b, times),
      [a = a.detach(), b = b.detach()](const Gradient& g, std::span<Gradient> inputs) {
        const Tensor whole = g.dense(a.shape());
        inputs[0].value = map2("mul", whole, b, times);
        inputs[1].value = map2("mul", whole, a, times);
      },
      a, b);
}

Tensor operator*(const Tensor& a, double factor) {
  const auto scale = [factor](auto v) { return v * static_cast<decltype(v)>(factor); };
  return with_backward(
      map("mul", a, scale),
      [scale](const Gradient& g, std::span<Gradient> inputs) {
        inputs[0] = {map("mul", g.value, scale), g.part};
      },
      a);
}

Tensor operator*(double factor, const Tensor& a) { return a * factor; }

Tensor operator-(const Tensor& a) { return a * -1.0; }

Tensor sum(const Tensor& x) { return scaled_sum("sum", x, 1); }

Tensor mean(const Tensor& x) {
  if (x.numel() == 0) throw ShapeError("mean", "a tensor without elements has no mean");
  const FloatEnvironment environment;
  return scaled_sum("mean", x, 1.0 / static_cast<double>(x.numel()));
}

Tensor matmul(const Tensor& a, const Tensor& b) {
  if (a.rank() != 2 || b.rank() != 2 || a.size(1) != b.size(0) || a.dtype() != b.dtype())
    throw ShapeError("matmul", fmt::format("got {} of shape {} and {} of shape {}; expected [M, K] "
                                           "and [K, N] of one type",
                                           name_of(a.dtype()), a.shape().str(), name_of(b.dtype()),
                                           b.shape().str()));
  const FloatEnvironment environment;
  const Tensor left = a.detach().contiguous(), right = b.detach().contiguous();
  return with_backward(
      product(left, false, right),
      [left, right](const Gradient& g, std::span<Gradient> inputs) {
        const Tensor whole = g.dense({left.size(0), right.size(1)});
        inputs[0].value = product(whole, false, right.transpose(0, 1).contiguous());
        inputs[1].value = product(left, true, whole);
      },
      a, b);
}

}  // namespace unroll
