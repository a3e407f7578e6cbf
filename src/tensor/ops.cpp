#include "unroll/tensor/ops.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/float_environment.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll {

Tensor argmax(const Tensor& x, int dim) {
  const int d = checked_dim("argmax", x, dim);
  const std::int64_t length = x.shape()[d];
  if (length < 1)
    throw ShapeError("argmax",
                     fmt::format("dimension {} of shape {} has no elements", d, x.shape().str()));
  const FloatEnvironment environment;
  Tensor result = Tensor::empty(x.shape().without(d), DType::i64);
  // Moves the dimension to the end: one row of `length` candidates for each result.
  Tensor rows = x.detach();
  for (int at = d; at + 1 < x.rank(); ++at) rows = rows.transpose(at, at + 1);
  rows = rows.contiguous();
  dispatch_all(x.dtype(), [&]<class T>(T*) {
    const T* row = rows.data<T>();
    for (std::int64_t& best : result.values<std::int64_t>()) {
      best = std::max_element(row, row + length) - row;
      row += length;
    }
  });
  return result;
}

std::int64_t count_equal(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype())
    throw ShapeError(
        "count_equal",
        fmt::format("got {} of shape {} and {} of shape {}; expected equal shapes and "
                    "types",
                    name_of(a.dtype()), a.shape().str(), name_of(b.dtype()), b.shape().str()));
  const FloatEnvironment environment;
  const Tensor left = a.contiguous(), right = b.contiguous();
  return dispatch_all(a.dtype(), [&]<class T>(T*) {
    const auto x = left.values<T>(), y = right.values<T>();
    std::int64_t count = 0;
    for (std::size_t i = 0; i < x.size(); ++i) count += x[i] == y[i];
    return count;
  });
}

}  // namespace unroll
