#include "autograd/elementwise.h"

#include <fmt/format.h>

#include "autograd/node.h"
#include "unroll/core/error.h"

namespace unroll::autograd {

void check_equal(std::string_view operation, const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype())
    throw ShapeError(operation, fmt::format("got {} of shape {} and {} of shape {}; expected equal "
                                            "shapes and types",
                                            name_of(a.dtype()), a.shape().str(), name_of(b.dtype()),
                                            b.shape().str()));
}

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

}  // namespace unroll::autograd
