// relu, tanh, sigmoid and symlog.
#include "autograd/elementwise.h"
#include "autograd/node.h"
#include "core/numerics.h"
#include "kernels/table.h"
#include "unroll/autograd/ops.h"

namespace unroll {
namespace {

using autograd::Gradient;
using autograd::map;
using autograd::map2;
using autograd::with_backward;

/// Applies an element-wise f(in, out, count) to x in pieces of adjacent elements, without history.
/// `make`, called with a null pointer of the element type, returns f.
template <class Make>
Tensor map_pieces(std::string_view operation, const Tensor& x, Make&& make) {
  const FloatEnvironment environment;
  const Tensor in = x.detach().contiguous();
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  dispatch(operation, x.dtype(), [&]<class T>(T* type) {
    const auto f = make(type);
    const T* const from = raw_data<T>(in);
    T* const to = out.data<T>();
    parallel_pieces(
        static_cast<std::size_t>(out.numel()), autograd::kElementsPerTask,
        [&](std::size_t begin, std::size_t end) { f(from + begin, to + begin, end - begin); });
  });
  return out;
}

}  // namespace

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
  Tensor y = map_pieces("tanh", x, []<class T>(T*) { return kernels::table<T>().tanh; });
  return with_backward(
      y,
      [y = y.detach()](const Gradient& g, std::span<Gradient> inputs) {
        inputs[0].value =
            map2("tanh", g.dense(y.shape()), y, [](auto d, auto v) { return (1 - v * v) * d; });
      },
      x);
}

Tensor sigmoid(const Tensor& x) {
  Tensor y = map_pieces("sigmoid", x, []<class T>(T*) {
    return [exp = kernels::table<T>().exp](const T* in, T* out, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) out[i] = -in[i];
      exp(out, out, count);
      for (std::size_t i = 0; i < count; ++i) out[i] = 1 / (1 + out[i]);
    };
  });
  return with_backward(
      y,
      [y = y.detach()](const Gradient& g, std::span<Gradient> inputs) {
        inputs[0].value =
            map2("sigmoid", g.dense(y.shape()), y, [](auto d, auto v) { return (1 - v) * v * d; });
      },
      x);
}

Tensor symlog(const Tensor& x) {
  return with_backward(
      map("symlog", x,
          [](auto v) {
            return static_cast<decltype(v)>(numerics::symlog(static_cast<double>(v)));
          }),
      [x = x.detach()](const Gradient& g, std::span<Gradient> inputs) {
        inputs[0].value = map2("symlog", g.dense(x.shape()), x,
                               [](auto d, auto v) { return d / (1 + (v < 0 ? -v : v)); });
      },
      x);
}

}  // namespace unroll
