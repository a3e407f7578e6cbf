// Dropout.
#pragma once

#include "unroll/core/api.h"
#include "unroll/nn/mask.h"
#include "unroll/nn/module.h"

namespace unroll::nn {

/// y = x mask / (1 - p), and 0 for p = 1; `mask` holds ones for what stays and zeros, in x's shape
/// and type, and gets no gradient. Throws ShapeError, and ValueError unless 0 <= p <= 1.
UNROLL_API Tensor dropout(const Tensor& input, const Tensor& mask, double p);

struct DropoutOptions {
  Generator* generator = nullptr;  ///< gives the masks' seed; default_generator() where null
};

/// In training mode each element is 0 with probability p, and the others are divided by 1 - p
/// (Srivastava 2014); in evaluation mode the result is the input.
///
/// The masks of the k-th training forward are a pure function of masks().seed(), k and the shape.
/// A checkpoint keeps masks().step(), and set_step() goes on from there.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.Dropout.html
class UNROLL_API Dropout : public Module {
 public:
  using Options = DropoutOptions;
  /// Throws ValueError unless 0 <= p <= 1.
  explicit Dropout(double p = 0.5, const Options& options = {});
  explicit Dropout(const Child& place, double p = 0.5, const Options& options = {});

  /// With a mask, that one is used, and no step is counted. Not for two threads at once.
  Tensor operator()(const Tensor& input, const Tensor& mask = {}) const;

  MaskSource& masks() { return masks_; }

 private:
  double p_;
  mutable MaskSource masks_;  // counts the forwards of a model that stays as it is
};

}  // namespace unroll::nn
