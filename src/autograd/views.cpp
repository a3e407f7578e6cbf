// The differentiable views of Tensor.
#include <fmt/format.h>

#include <limits>

#include "autograd/node.h"
#include "unroll/core/error.h"

namespace unroll {

using autograd::Gradient;
using autograd::with_backward;

Tensor Tensor::view(const Shape& shape) const {
  Shape target = shape;
  std::int64_t known = 1;
  int open = -1;
  bool possible = true;  // no negative size, and a product that can be computed
  for (int d = 0; d < target.rank(); ++d) {
    const std::int64_t size = target[d];
    if (size == -1 && open < 0)
      open = d;
    else if (size < 0 || (size > 0 && known > std::numeric_limits<std::int64_t>::max() / size))
      possible = false;
    else
      known *= size;
  }
  if (open >= 0) {
    possible = possible && known > 0;  // with a size of 0, -1 could be any size
    if (possible) target[open] = numel() / known;
  }
  if (!possible || target.numel() != numel())
    throw ShapeError("view",
                     fmt::format("a tensor of shape {} has {} elements, which do not fit shape {}",
                                 this->shape().str(), numel(), shape.str()));
  if (!is_contiguous())
    throw ShapeError("view", fmt::format("the elements of this view of shape {} are not adjacent; "
                                         "call contiguous() first",
                                         this->shape().str()));
  return with_backward(
      make_view(*this, target, 0),
      [before = this->shape(), target](const Gradient& output, std::span<Gradient> inputs) {
        inputs[0].value = make_view(output.dense(target), before, 0);
      },
      *this);
}

Tensor Tensor::select(int dim, std::int64_t index) const {
  const int d = checked_dim("select", *this, dim);
  const std::int64_t size = this->shape()[d];
  if (index < -size || index >= size)
    throw ShapeError("select", fmt::format("index {} of dimension {} in a tensor of shape {}; "
                                           "expected {} to {}",
                                           index, d, this->shape().str(), -size, size - 1));
  if (index < 0) index += size;
  const Shape rest = this->shape().without(d);
  std::array<std::int64_t, Shape::max_rank> strides{};
  for (int from = 0, to = 0; from < rank(); ++from)
    if (from != d) strides[static_cast<std::size_t>(to++)] = stride(from);
  return with_backward(
      make_view(*this, rest, strides, index * stride(d)),
      [d, index, rest](const Gradient& output, std::span<Gradient> inputs) {
        inputs[0] = {output.dense(rest), Gradient::Part{d, index}};
      },
      *this);
}

Tensor Tensor::transpose(int dim0, int dim1) const {
  const int a = checked_dim("transpose", *this, dim0), b = checked_dim("transpose", *this, dim1);
  Shape swapped = this->shape();
  std::swap(swapped[a], swapped[b]);
  auto strides = impl()->strides;
  std::swap(strides[static_cast<std::size_t>(a)], strides[static_cast<std::size_t>(b)]);
  return with_backward(
      make_view(*this, swapped, strides, 0),
      [a, b, swapped](const Gradient& output, std::span<Gradient> inputs) {
        inputs[0].value = output.dense(swapped).transpose(a, b);
      },
      *this);
}

Tensor Tensor::contiguous() const {
  if (is_contiguous()) return *this;
  return with_backward(
      clone(), [](const Gradient& output, std::span<Gradient> inputs) { inputs[0] = output; },
      *this);
}

}  // namespace unroll
