// Element-wise operations on sequences of matrices whose rows have any stride.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/parallel.h"
#include "kernels/recurrent.h"
#include "tensor/tensor_impl.h"

namespace unroll::nn {

/// A tensor (T, N, J) with adjacent features, or (N, J), which is the same at every step.
template <class T>
kernels::Sequence<T> sequence_of(const Tensor& tensor) {
  using Element = std::remove_const_t<T>;
  if (!tensor.defined()) return {};
  if (tensor.rank() == 2) return {raw_data<Element>(tensor), 0, tensor.stride(0)};
  return {raw_data<Element>(tensor), tensor.stride(0), tensor.stride(1)};
}

/// Calls f(t, n) for every step and row, on all threads. `columns` is the size of a row.
template <class F>
void for_each_row(std::size_t steps, std::size_t batch, std::size_t columns, F&& f) {
  constexpr std::size_t elements_per_task = std::size_t{1} << 14;
  const std::size_t rows = steps * batch;
  const std::size_t piece = std::max<std::size_t>(1, elements_per_task / columns);
  parallel((rows + piece - 1) / piece, [&](std::size_t task) {
    for (std::size_t row = task * piece; row < std::min(rows, (task + 1) * piece); ++row)
      f(row / batch, row % batch);
  });
}

/// to = f(to, from) for the elements of `to` (T, N, J).
template <class T, class F>
void combine_rows(const Tensor& to, const Tensor& from, F&& f) {
  const auto into = sequence_of<T>(to);
  const auto with = sequence_of<const T>(from);
  const auto columns = static_cast<std::size_t>(to.size(2));
  for_each_row(static_cast<std::size_t>(to.size(0)), static_cast<std::size_t>(to.size(1)), columns,
               [&](std::size_t t, std::size_t n) {
                 T* a = into.at(t, n);
                 const T* b = with.at(t, n);
                 for (std::size_t j = 0; j < columns; ++j) a[j] = f(a[j], b[j]);
               });
}

}  // namespace unroll::nn
