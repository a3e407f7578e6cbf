// Dropout.
#pragma once

#include "unroll/core/api.h"
#include "unroll/nn/mask.h"
#include "unroll/nn/module.h"

namespace unroll::nn {

/// y = x mask / (1 - p), and 0 for p = 1. `mask` has x's shape and type: 1 keeps an element, 0
/// drops it. It gets no gradient. Throws ShapeError if x and mask differ, and ValueError unless 0
/// <= p <= 1.
UNROLL_API Tensor dropout(const Tensor& input, const Tensor& mask, double p);

struct DropoutOptions {
  Generator* generator = nullptr;  ///< gives the masks' seed; default_generator() if null
};

/// In training mode sets each element to 0 with probability p and divides the others by 1 - p
/// (Srivastava 2014). In evaluation mode returns the input.
///
/// The mask of the k-th forward pass in training is a pure function of masks().seed(), k and the
/// shape. A checkpoint saves masks().step(), and set_step() restores it.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.Dropout.html
class UNROLL_API Dropout : public Module {
 public:
  using Options = DropoutOptions;
  /// Throws ValueError unless 0 <= p <= 1.
  explicit Dropout(double p = 0.5, const Options& options = {});
  explicit Dropout(const Child& place, double p = 0.5, const Options& options = {});

  /// If `mask` is given, uses it and counts no step. Not for two threads at once.
  Tensor operator()(const Tensor& input, const Tensor& mask = {}) const;

  MaskSource& masks() { return masks_; }

 private:
  double p_;
  mutable MaskSource masks_;  // mutable: a forward pass counts, and changes nothing else
};

}  // namespace unroll::nn
