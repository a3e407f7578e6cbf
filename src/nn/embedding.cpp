#include "unroll/nn/embedding.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/node.h"
#include "core/float_environment.h"
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
      to = std::copy_n(w.data<T>() + static_cast<std::size_t>(row) * width, width, to);
  });
  return autograd::with_backward(
      y,
      [rows, padding, width, shape = w.shape(), output = y.shape()](const Gradient& g,
                                                                    std::span<Gradient> inputs) {
        const Tensor whole = g.dense(output);
        const Tensor result = Tensor::zeros(shape, whole.dtype());
        dispatch("embedding", whole.dtype(), [&]<class T>(T*) {
          const T* from = whole.data<T>();
          for (const std::int64_t row : rows.values<std::int64_t>()) {
            T* const to = result.data<T>() + static_cast<std::size_t>(row) * width;
            if (row != padding)
              for (std::size_t i = 0; i < width; ++i) to[i] += from[i];
            from += width;
          }
        });
        inputs[0].value = result;
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
