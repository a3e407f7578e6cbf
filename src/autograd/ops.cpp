#include "unroll/autograd/ops.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/node.h"
#include "core/float_environment.h"
#include "core/numerics.h"
#include "kernels/parallel_gemm.h"
#include "unroll/core/error.h"

namespace unroll {
namespace {

using autograd::Gradient;
using autograd::with_backward;

void check_equal(std::string_view operation, const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype())
    throw ShapeError(operation, fmt::format("got {} of shape {} and {} of shape {}; expected equal "
                                            "shapes and types",
                                            name_of(a.dtype()), a.shape().str(), name_of(b.dtype()),
                                            b.shape().str()));
}

/// f(x) for each element, without history.
template <class F>
Tensor map(std::string_view operation, const Tensor& x, F&& f) {
  const FloatEnvironment environment;
  const Tensor in = x.detach().contiguous();
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  dispatch(operation, x.dtype(), [&]<class T>(T*) {
    const auto from = in.values<T>();
    const auto to = out.values<T>();
    for (std::size_t i = 0; i < from.size(); ++i) to[i] = f(from[i]);
  });
  return out;
}

/// f(a, b) for each pair of elements, without history.
template <class F>
Tensor map2(std::string_view operation, const Tensor& a, const Tensor& b, F&& f) {
  check_equal(operation, a, b);
  const FloatEnvironment environment;
  const Tensor in_a = a.detach().contiguous(), in_b = b.detach().contiguous();
  Tensor out = Tensor::empty(a.shape(), a.dtype());
  dispatch(operation, a.dtype(), [&]<class T>(T*) {
    const auto from_a = in_a.values<T>(), from_b = in_b.values<T>();
    const auto to = out.values<T>();
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = f(from_a[i], from_b[i]);
  });
  return out;
}

constexpr auto times = [](auto a, auto b) { return a * b; };

Tensor negated(const Tensor& x) {
  return map("neg", x, [](auto v) { return -v; });
}

/// a b for contiguous matrices without history; a may be transposed, (K, M) in memory.
Tensor product(const Tensor& a, bool a_transposed, const Tensor& b) {
  const std::int64_t rows = a.size(a_transposed ? 1 : 0), columns = b.size(1);
  Tensor out = Tensor::empty({rows, columns}, a.dtype());
  dispatch("matmul", a.dtype(), [&]<class T>(T*) {
    const auto describe =
        a_transposed ? &kernels::transposed_product<T> : &kernels::dense_product<T>;
    kernels::parallel_gemm(
        describe(static_cast<std::size_t>(rows), static_cast<std::size_t>(b.size(0)),
                 static_cast<std::size_t>(columns), a.data<T>(), b.data<T>(), out.data<T>()));
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

Tensor relu(const Tensor& x) {
  Tensor y = map("relu", x, [](auto v) { return v < 0 ? decltype(v){0} : v; });
  return with_backward(
      y,
      [y = y.detach()](const Gradient& g, std::span<Gradient> inputs) {
        inputs[0].value = map2("relu", g.dense(y.shape()), y,
                               [](auto d, auto v) { return v <= 0 ? decltype(d){0} : d; });
      },
      x);
}

Tensor tanh(const Tensor& x) {
  const FloatEnvironment environment;
  const Tensor in = x.detach().contiguous();
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch("tanh", x.dtype(), [&]<class T>(T*) {
    kernels::table<T>().tanh(in.data<T>(), y.data<T>(), static_cast<std::size_t>(y.numel()));
  });
  return with_backward(
      y,
      [y = y.detach()](const Gradient& g, std::span<Gradient> inputs) {
        inputs[0].value =
            map2("tanh", g.dense(y.shape()), y, [](auto d, auto v) { return (1 - v * v) * d; });
      },
      x);
}

namespace {

/// factor * (sum of all elements), with its gradient.
Tensor scaled_sum(std::string_view operation, const Tensor& x, double factor) {
  const FloatEnvironment environment;
  const Tensor in = x.detach().contiguous();
  double total = 0;
  dispatch(operation, x.dtype(), [&]<class T>(T*) {
    for (const T v : in.values<T>()) total += static_cast<double>(v);
  });
  return with_backward(
      Tensor::full({}, total * factor, x.dtype()),
      [shape = x.shape(), factor](const Gradient& g, std::span<Gradient> inputs) {
        inputs[0].value = Tensor::full(shape, g.value.item() * factor, g.value.dtype());
      },
      x);
}

}  // namespace

Tensor sum(const Tensor& x) { return scaled_sum("sum", x, 1); }

Tensor mean(const Tensor& x) {
  if (x.numel() == 0) throw ShapeError("mean", "a tensor without elements has no mean");
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

Tensor log_softmax(const Tensor& x) {
  if (x.rank() < 1 || x.size(-1) < 1)
    throw ShapeError("log_softmax", fmt::format("got shape {}, expected at least one class in the "
                                                "last dimension",
                                                x.shape().str()));
  const FloatEnvironment environment;
  const Tensor in = x.detach().contiguous();
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  const auto classes = static_cast<std::size_t>(x.size(-1));
  dispatch("log_softmax", x.dtype(), [&]<class T>(T*) {
    const auto from = in.values<T>();
    const auto to = out.values<T>();
    for (std::size_t row = 0; row < from.size(); row += classes) {
      T largest = from[row];
      for (std::size_t c = 1; c < classes; ++c)
        largest = from[row + c] > largest ? from[row + c] : largest;
      for (std::size_t c = 0; c < classes; ++c) to[row + c] = from[row + c] - largest;
    }
    // exp of everything in one call; the sums, in f64, class by class.
    const Tensor exponentials = Tensor::empty(x.shape(), x.dtype());
    kernels::table<T>().exp(to.data(), exponentials.data<T>(), to.size());
    const auto e = exponentials.values<T>();
    for (std::size_t row = 0; row < from.size(); row += classes) {
      double total = 0;
      for (std::size_t c = 0; c < classes; ++c) total += static_cast<double>(e[row + c]);
      const T log_total = static_cast<T>(numerics::log(total));
      for (std::size_t c = 0; c < classes; ++c) to[row + c] -= log_total;
    }
  });
  return with_backward(
      out,
      [y = out.detach(), classes](const Gradient& g, std::span<Gradient> inputs) {
        // dL/dx = g - softmax(x) sum(g)
        const Tensor whole = g.dense(y.shape());
        Tensor result = Tensor::empty(y.shape(), y.dtype());
        dispatch("log_softmax", y.dtype(), [&]<class T>(T*) {
          const auto gradient = whole.values<T>();
          const auto to = result.values<T>();
          kernels::table<T>().exp(y.data<T>(), to.data(), to.size());
          for (std::size_t row = 0; row < to.size(); row += classes) {
            double total = 0;
            for (std::size_t c = 0; c < classes; ++c)
              total += static_cast<double>(gradient[row + c]);
            for (std::size_t c = 0; c < classes; ++c)
              to[row + c] = gradient[row + c] - to[row + c] * static_cast<T>(total);
          }
        });
        inputs[0].value = result;
      },
      x);
}

}  // namespace unroll
