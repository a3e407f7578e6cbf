#include "unroll/nn/embedding.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <span>

#include "autograd/elementwise.h"
#include "autograd/node.h"
#include "core/float_environment.h"
#include "core/parallel.h"
#include "core/shards.h"
#include "unroll/core/error.h"
#include "unroll/nn/init.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;

/// The row counted from the front, or -1 for none.
std::int64_t padding_row(std::optional<std::int64_t> padding_idx, std::int64_t rows) {
  if (!padding_idx) return -1;
  if (*padding_idx < -rows || *padding_idx >= rows)
    throw ValueError("embedding", fmt::format("padding_idx is {}, expected {} to {}", *padding_idx,
                                              -rows, rows - 1));
  return *padding_idx < 0 ? *padding_idx + rows : *padding_idx;
}

void check_embedding(const Tensor& indices, const Tensor& weight) {
  if (weight.rank() != 2)
    throw ShapeError("embedding", fmt::format("weight has shape {}, expected [num_embeddings, "
                                              "embedding_dim]",
                                              weight.shape().str()));
  if (indices.dtype() != DType::i64 || indices.rank() == Shape::max_rank)
    throw ShapeError("embedding", fmt::format("indices are {} of shape {}, expected i64 of at most "
                                              "{} dimensions",
                                              name_of(indices.dtype()), indices.shape().str(),
                                              Shape::max_rank - 1));
  const Tensor all = indices.contiguous();
  for (std::int64_t i = 0; const std::int64_t row : all.values<std::int64_t>()) {
    if (row < 0 || row >= weight.size(0))
      throw ValueError("embedding", fmt::format("index {} at element {}, expected 0 to {}", row, i,
                                                weight.size(0) - 1));
    ++i;
  }
}

Shape with_last(const Shape& shape, std::int64_t size) {
  std::array<std::int64_t, Shape::max_rank> sizes{};
  std::ranges::copy(shape, sizes.begin());
  sizes[static_cast<std::size_t>(shape.rank())] = size;
  return Shape(
      std::span<const std::int64_t>(sizes.data(), static_cast<std::size_t>(shape.rank()) + 1));
}

/// The positions in `rows` at which each row of the table is looked up. Row `padding` is left out.
/// Positions of the same row are adjacent and ascend.
Tensor sorted_look_ups(std::span<const std::int64_t> rows, std::int64_t table_rows,
                       std::int64_t padding) {
  // Counting sort.
  const Tensor ends = Tensor::zeros({table_rows}, DType::i64);
  std::int64_t* const end = ends.data<std::int64_t>();
  for (const std::int64_t row : rows)
    if (row != padding) ++end[row];
  std::partial_sum(end, end + table_rows, end);
  const Tensor sorted = Tensor::empty({end[table_rows - 1]}, DType::i64);
  for (std::size_t at = rows.size(); at-- > 0;)
    if (rows[at] != padding)
      sorted.data<std::int64_t>()[--end[rows[at]]] = static_cast<std::int64_t>(at);
  return sorted;
}

/// The number of each row's shard.
Tensor shard_numbers(const Shards& shards) {
  const Tensor all = Tensor::empty({static_cast<std::int64_t>(shards.rows())}, DType::i64);
  const auto of = all.values<std::int64_t>();
  for (std::size_t k = 0; k < shards.count(); ++k)
    std::ranges::fill(of.subspan(shards.begin(k), shards.size(k)), static_cast<std::int64_t>(k));
  return all;
}

/// to (width) = the sum of some rows of d. Takes time in proportion to these rows: shards without
/// any are left out of the tree (core/shards.h), because x + 0 = x.
template <class T>
void sum_rows(const T* d, std::size_t width, std::span<const std::int64_t> rows,
              const std::int64_t* shard_of, T* to) {
  constexpr std::size_t columns_at_once = 256;
  constexpr std::size_t depth_limit = tree_slots(Shards::most);
  T waiting[depth_limit][columns_at_once];
  int levels[depth_limit + 1];
  for (std::size_t begin = 0; begin < width; begin += columns_at_once) {
    const std::size_t columns = std::min(columns_at_once, width - begin);
    // A stack of the nodes that wait. levels[i] is the level of the tree at which nodes i - 1 and i
    // meet; it falls towards the top.
    std::size_t depth = 0;
    const auto node = [&](std::size_t i) { return i == 0 ? to + begin : waiting[i - 1]; };
    const auto add = [&](T* sum, const T* more) {
      for (std::size_t j = 0; j < columns; ++j) sum[j] += more[j];
    };
    const auto add_below = [&](int level) {
      for (; depth > 1 && levels[depth - 1] < level; --depth) add(node(depth - 2), node(depth - 1));
    };
    std::int64_t shard = -1;
    for (const std::int64_t row : rows) {
      const T* const from = d + static_cast<std::size_t>(row) * width + begin;
      if (shard_of[row] == shard) {
        add(node(depth - 1), from);
        continue;
      }
      if (depth > 0) {
        const int level = std::bit_width(static_cast<std::uint64_t>(shard ^ shard_of[row]));
        add_below(level);
        levels[depth] = level;
      }
      shard = shard_of[row];
      T* const sum = node(depth++);
      for (std::size_t j = 0; j < columns; ++j) sum[j] = 0 + from[j];
    }
    add_below(std::numeric_limits<int>::max());
  }
}

/// Adds the rows of d (M, width) to the rows of the table that were looked up, on all threads.
template <class T>
void sum_look_ups(const T* d, std::size_t width, std::span<const std::int64_t> rows,
                  std::span<const std::int64_t> sorted, const std::int64_t* shard_of, T* to) {
  const auto row_of = [&](std::size_t i) { return rows[static_cast<std::size_t>(sorted[i])]; };
  parallel_pieces(sorted.size(), std::max<std::size_t>(1, autograd::kElementsPerTask / width),
                  [&](std::size_t begin, std::size_t end) {
                    // A row belongs to the piece with its first position.
                    for (std::size_t i = begin, next; i < end; i = next) {
                      const std::int64_t row = row_of(i);
                      next = i + 1;
                      while (next < sorted.size() && row_of(next) == row) ++next;
                      if (i > 0 && row_of(i - 1) == row) continue;
                      sum_rows(d, width, sorted.subspan(i, next - i), shard_of,
                               to + static_cast<std::size_t>(row) * width);
                    }
                  });
}

}  // namespace

Tensor embedding(const Tensor& indices, const Tensor& weight,
                 std::optional<std::int64_t> padding_idx) {
  check_embedding(indices, weight);
  const std::int64_t padding = padding_row(padding_idx, weight.size(0));
  const FloatEnvironment environment;
  const Tensor rows = indices.contiguous(), w = weight.detach().contiguous();
  const auto width = static_cast<std::size_t>(w.size(1));
  Tensor y = Tensor::empty(with_last(indices.shape(), w.size(1)), w.dtype());
  dispatch("embedding", w.dtype(), [&]<class T>(T*) {
    T* to = y.data<T>();
    for (const std::int64_t row : rows.values<std::int64_t>())
      to = std::copy_n(raw_data<T>(w) + static_cast<std::size_t>(row) * width, width, to);
  });
  return autograd::with_backward(
      y,
      [rows, padding, width, shape = w.shape(), output = y.shape(),
       shards = autograd::shards_of_elements(indices.shape())](const Gradient& g,
                                                               std::span<Gradient> inputs) {
        const Tensor whole = g.dense(output);
        const auto looked_up = rows.values<std::int64_t>();
        const Tensor sorted = sorted_look_ups(looked_up, shape[0], padding);
        const Tensor shard_of = shard_numbers(shards);
        inputs[0].value = Tensor::zeros(shape, whole.dtype());
        if (sorted.numel() == 0 || width == 0) return;
        dispatch("embedding", whole.dtype(), [&]<class T>(T*) {
          sum_look_ups(whole.data<T>(), width, looked_up, sorted.values<std::int64_t>(),
                       shard_of.data<std::int64_t>(), inputs[0].value.data<T>());
        });
      },
      weight);
}

Embedding::Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim,
                     const Options& options) {
  initialise(num_embeddings, embedding_dim, options);
}

Embedding::Embedding(const Child& place, std::int64_t num_embeddings, std::int64_t embedding_dim,
                     const Options& options)
    : Module(place) {
  initialise(num_embeddings, embedding_dim, options);
}

void Embedding::initialise(std::int64_t num_embeddings, std::int64_t embedding_dim,
                           const Options& options) {
  if (num_embeddings < 1 || embedding_dim < 1)
    throw ValueError("embedding", fmt::format("{} embeddings of dimension {}; expected at least 1 "
                                              "each",
                                              num_embeddings, embedding_dim));
  padding_idx_ = options.padding_idx;
  const std::int64_t padding = padding_row(padding_idx_, num_embeddings);
  weight = Tensor::empty({num_embeddings, embedding_dim}, options.dtype);
  init::normal(weight, 0, 1, options.generator ? *options.generator : default_generator());
  if (padding >= 0) init::constant(weight.select(0, padding), 0);
  weight = add_parameter("weight", weight);
}

}  // namespace unroll::nn
