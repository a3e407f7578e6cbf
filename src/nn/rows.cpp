#include "nn/rows.h"

#include <algorithm>

#include "autograd/node.h"
#include "core/batch_part.h"
#include "core/float_environment.h"
#include "core/parallel.h"
#include "core/shard_sums.h"
#include "nn/sequence_rows.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;

/// A view of x as (T, N, J), where N is dimension `dim` of x.
Tensor as_sequence(const Tensor& x, int dim) {
  if (x.rank() == 2) return make_view(x, {1, x.size(0), x.size(1)}, {0, x.stride(0), 1}, 0);
  return dim == 0 ? x.detach().transpose(0, 1) : x.detach();
}

/// The sum of d (R, N, J) over the sequences: (R, 1, J).
Tensor sum_of_batch(const Tensor& d, const Shards& shards) {
  const auto rows = static_cast<std::size_t>(d.size(0)),
             batch = static_cast<std::size_t>(d.size(1));
  const auto columns = static_cast<std::size_t>(d.size(2));
  const Tensor sum = Tensor::empty({d.size(0), 1, d.size(2)}, d.dtype());
  dispatch("expand_batch", d.dtype(), [&]<class T>(T*) {
    for (std::size_t r = 0; r < rows; ++r)
      parallel_pieces(columns, kShardSums, [&](std::size_t begin, std::size_t end) {
        const T* const from = d.data<T>() + r * batch * columns + begin;
        sum_over_shards(shards.count(), end - begin, sum.data<T>() + r * columns + begin,
                        [&](std::size_t k, T* to) {
                          std::fill_n(to, end - begin, T{0});
                          for (std::size_t n = shards.begin(k); n < shards.begin(k + 1); ++n)
                            for (std::size_t j = 0; j < end - begin; ++j)
                              to[j] += from[n * columns + j];
                        });
      });
  });
  return sum;
}

/// permute_rows() without history.
Tensor permuted(const Tensor& x, int dim, const Tensor& order) {
  const Tensor from = x.stride(-1) == 1 ? x.detach() : x.detach().contiguous();
  const Tensor to = Tensor::empty(x.shape(), x.dtype());
  const Tensor sequence = as_sequence(from, dim);
  const auto rows = order.values<std::int64_t>();
  dispatch("permute_rows", x.dtype(), [&]<class T>(T*) {
    const auto source = sequence_of<const T>(sequence);
    const auto target = sequence_of<T>(as_sequence(to, dim));
    const auto columns = static_cast<std::size_t>(sequence.size(2));
    for_each_row(static_cast<std::size_t>(sequence.size(0)), rows.size(), columns,
                 [&](std::size_t t, std::size_t n) {
                   const T* row = source.at(t, static_cast<std::size_t>(rows[n]));
                   std::copy(row, row + columns, target.at(t, n));
                 });
  });
  return to;
}

}  // namespace

Tensor inverse_of(const Tensor& order) {
  const Tensor inverse = Tensor::empty(order.shape(), DType::i64);
  const auto from = order.values<std::int64_t>(), to = inverse.values<std::int64_t>();
  for (std::size_t n = 0; n < from.size(); ++n)
    to[static_cast<std::size_t>(from[n])] = static_cast<std::int64_t>(n);
  return inverse;
}

Tensor permute_rows(const Tensor& x, int dim, const Tensor& order) {
  return autograd::with_backward(
      permuted(x, dim, order),
      [dim, shape = x.shape(), order](const Gradient& g, std::span<Gradient> inputs) {
        inputs[0].value = permuted(g.dense(shape), dim, inverse_of(order));
      },
      x);
}

Tensor expand_batch(const Tensor& x, std::int64_t batch) {
  const FloatEnvironment environment;
  const Shape shape{x.size(0), batch, x.size(2)};
  // The result has stride 0 along the batch.
  const Tensor row = x.detach().contiguous();
  return autograd::with_backward(
      make_view(row, shape, {row.stride(0), 0, 1}, 0).clone(),
      [shape, shards = shards_of(static_cast<std::size_t>(batch))](const Gradient& g,
                                                                   std::span<Gradient> inputs) {
        inputs[0].value = sum_of_batch(g.dense(shape), shards);
      },
      x);
}

}  // namespace unroll::nn
