// Building blocks of element-wise operations.
#pragma once

#include <string_view>

#include "core/float_environment.h"
#include "core/parallel.h"
#include "core/shards.h"
#include "tensor/tensor_impl.h"

namespace unroll::autograd {

/// Number of elements worth a task of its own.
inline constexpr std::size_t kElementsPerTask = std::size_t{1} << 14;

/// Throws ShapeError unless shapes and types are equal.
void check_equal(std::string_view operation, const Tensor& a, const Tensor& b);

/// f(x) for each element, without history.
template <class F>
Tensor map(std::string_view operation, const Tensor& x, F&& f) {
  const FloatEnvironment environment;
  const Tensor in = x.detach().contiguous();
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  dispatch(operation, x.dtype(), [&]<class T>(T*) {
    const T* const from = raw_data<T>(in);
    T* const to = out.data<T>();
    parallel_pieces(static_cast<std::size_t>(out.numel()), kElementsPerTask,
                    [&](std::size_t begin, std::size_t end) {
                      for (std::size_t i = begin; i < end; ++i) to[i] = f(from[i]);
                    });
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
    const T *const from_a = raw_data<T>(in_a), *const from_b = raw_data<T>(in_b);
    T* const to = out.data<T>();
    parallel_pieces(static_cast<std::size_t>(out.numel()), kElementsPerTask,
                    [&](std::size_t begin, std::size_t end) {
                      for (std::size_t i = begin; i < end; ++i) to[i] = f(from_a[i], from_b[i]);
                    });
  });
  return out;
}

/// The shards of the elements of a batch. Dimension 0 counts its rows; a single number and an empty
/// batch are one shard.
Shards shards_of_elements(const Shape& shape);

/// factor * (sum of all elements), with its gradient. Each shard is added up and multiplied in f64.
Tensor scaled_sum(std::string_view operation, const Tensor& x, double factor);

}  // namespace unroll::autograd
