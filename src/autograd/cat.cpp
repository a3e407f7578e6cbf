// Concatenation.
#include <fmt/format.h>

#include "autograd/node.h"
#include "core/float_environment.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"

namespace unroll {

using autograd::Gradient;

Tensor cat(const Tensor& a, const Tensor& b, int dim) {
  const int d = checked_dim("cat", a, dim);
  Shape shape = a.shape();
  shape[d] += b.rank() == a.rank() ? b.shape()[d] : 0;
  if (a.rank() != b.rank() || a.shape().without(d) != b.shape().without(d) ||
      a.dtype() != b.dtype())
    throw ShapeError("cat", fmt::format("got {} of shape {} and {} of shape {}; expected equal "
                                        "types and sizes, except in dimension {}",
                                        name_of(a.dtype()), a.shape().str(), name_of(b.dtype()),
                                        b.shape().str(), d));
  const FloatEnvironment environment;
  // Views of a tensor of the result's shape, for a's and b's part.
  const auto first_of = [shape_a = a.shape()](const Tensor& whole) {
    return make_view(whole, shape_a, whole.impl()->strides, 0);
  };
  const auto second_of = [shape_b = b.shape(), d, at = a.size(d)](const Tensor& whole) {
    return make_view(whole, shape_b, whole.impl()->strides, at * whole.stride(d));
  };
  Tensor result = Tensor::empty(shape, a.dtype());
  copy_into(first_of(result), a.detach());
  copy_into(second_of(result), b.detach());
  return autograd::with_backward(
      result,
      [shape, first_of, second_of](const Gradient& g, std::span<Gradient> inputs) {
        const Tensor dense = g.dense(shape);
        inputs[0].value = first_of(dense);
        inputs[1].value = second_of(dense);
      },
      a, b);
}

}  // namespace unroll
