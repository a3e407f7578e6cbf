#include "autograd/elementwise.h"

#include <fmt/format.h>

#include "autograd/node.h"
#include "core/batch_part.h"
#include "core/shard_sums.h"
#include "unroll/core/error.h"

namespace unroll::autograd {

void check_equal(std::string_view operation, const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype())
    throw ShapeError(operation, fmt::format("got {} of shape {} and {} of shape {}; expected equal "
                                            "shapes and types",
                                            name_of(a.dtype()), a.shape().str(), name_of(b.dtype()),
                                            b.shape().str()));
}

Shards shards_of_elements(const Shape& shape) {
  const auto count = static_cast<std::size_t>(shape.numel());
  if (count == 0 || shape.rank() == 0) return Shards(count, 1);
  const auto rows = static_cast<std::size_t>(shape[0]);
  return shards_of(rows).times(count / rows);
}

Tensor scaled_sum(std::string_view operation, const Tensor& x, double factor) {
  const FloatEnvironment environment;
  const Tensor in = x.detach().contiguous();
  const Shards shards = shards_of_elements(x.shape());
  Tensor result = Tensor::empty({}, x.dtype());
  dispatch(operation, x.dtype(), [&]<class T>(T*) {
    const auto all = raw_values<T>(in);
    sum_over_shards(shards.count(), 1, result.data<T>(), [&](std::size_t k, T* to) {
      double total = 0;
      for (const T v : all.subspan(shards.begin(k), shards.size(k)))
        total += static_cast<double>(v);
      *to = static_cast<T>(total * factor);
    });
  });
  return with_backward(
      result,
      [shape = x.shape(), factor](const Gradient& g, std::span<Gradient> inputs) {
        inputs[0].value = Tensor::full(shape, g.value.item() * factor, g.value.dtype());
      },
      x);
}

}  // namespace unroll::autograd
