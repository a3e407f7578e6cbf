// The gradient of a batch that is walked in parts, with the bits of the whole batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/batch_part.h"
#include "nn/flat_parameters.h"
#include "unroll/nn/mask.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// Cuts a batch into the largest nodes of its tree that have at most `rows` rows each. If a single
/// shard has more, each part is one shard. 0 rows: the batch stays whole.
void cut(const BatchPart& whole, std::size_t rows, std::vector<BatchPart>& parts);

/// The rows of a part of x (N, ...), which is contiguous: a view.
Tensor rows_of(const Tensor& x, const BatchPart& part);

/// Walks the parts of a batch, one after the other, and adds what they give in the tree of
/// core/shards.h.
class BatchGradient {
 public:
  /// For all parameters of a model, which must outlive this object, and all sources of its masks.
  BatchGradient(const FlatParameters& parameters, std::vector<MaskSource*> masks);

  /// Calls terms_of(k, terms) for each part k in order: it puts the terms of the part's loss into
  /// `terms`. The loss of a batch is the first term + (the sum of the others), each of which is a
  /// sum over its rows. Leaves the gradient of the whole batch in the parameters, and returns its
  /// loss. Every part draws its masks from the same keys.
  template <class F>
  double minimise(std::span<const BatchPart> parts, F&& terms_of) {
    tree_sum(
        parts.size(),
        [&](std::size_t k) {
          const WithBatchPart here(parts[k]);
          begin(k);
          terms_of(k, terms_);
          backward();
        },
        [&](std::size_t left, std::size_t) { add(left); });
    show_present();
    return loss();
  }

  /// Calls f(k, terms) for each part k, without a gradient. The terms are dropped.
  template <class F>
  void walk(std::span<const BatchPart> parts, F&& f) {
    for (std::size_t k = 0; k < parts.size(); ++k) {
      const WithBatchPart here(parts[k]);
      rewind_masks(k);
      terms_.clear();
      f(k, terms_);
    }
  }

 private:
  void rewind_masks(std::size_t k);
  void begin(std::size_t k);
  void backward();
  void add(std::size_t left);
  void show_present() const;
  double loss() const;

  /// The sum of a node that waits for its neighbour.
  struct Sum {
    Tensor gradients;
    std::vector<double> terms;
  };

  const FlatParameters& parameters_;
  std::vector<MaskSource*> masks_;
  std::vector<std::uint64_t> mask_steps_;  // before the first part
  std::vector<Tensor> terms_;              // of the loss of one part
  std::vector<char> present_;              // whether any part so far has a gradient of a parameter
  // The node that was added last. Its gradients are in the parameters.
  std::size_t node_ = 0;  // its first part
  std::vector<double> values_;
  std::vector<Sum> waiting_;  // by tree_slot()
};

}  // namespace unroll::nn
