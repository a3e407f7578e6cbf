// The embedding layer.
#pragma once

#include <optional>

#include "unroll/core/api.h"
#include "unroll/core/random.h"
#include "unroll/nn/module.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// y[..., :] = weight[indices[...], :]. indices is i64 of any shape (...) with at most 4
/// dimensions, weight is (num_embeddings, D), and y is (..., D). The row padding_idx gets no
/// gradient; a negative one counts from the end. Throws ShapeError, and ValueError for an index or
/// padding_idx outside the rows.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html
UNROLL_API Tensor embedding(const Tensor& indices, const Tensor& weight,
                            std::optional<std::int64_t> padding_idx = {});

struct EmbeddingOptions {
  std::optional<std::int64_t> padding_idx = {};  ///< a row without a gradient, initially 0
  DType dtype = DType::f32;
  Generator* generator = nullptr;  ///< default_generator() if null
};

/// embedding() with the parameter weight (num_embeddings, embedding_dim), initially normal with
/// mean 0 and standard deviation 1, as in PyTorch.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.Embedding.html
class UNROLL_API Embedding : public Module {
 public:
  using Options = EmbeddingOptions;
  /// Throws ValueError for sizes below 1 and a padding_idx outside the rows.
  Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim, const Options& options = {});
  Embedding(const Child& place, std::int64_t num_embeddings, std::int64_t embedding_dim,
            const Options& options = {});

  Tensor operator()(const Tensor& indices) const {
    return embedding(indices, weight, padding_idx_);
  }

  Tensor weight;

 private:
  void initialise(std::int64_t num_embeddings, std::int64_t embedding_dim, const Options& options);

  std::optional<std::int64_t> padding_idx_;
};

}  // namespace unroll::nn
