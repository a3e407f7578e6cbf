// Pooling: the largest element of each window.
#pragma once

#include <optional>

#include "unroll/core/api.h"
#include "unroll/nn/module.h"
#include "unroll/nn/size2d.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

struct MaxPool2dOptions {
  std::optional<Size2d> stride = {};  ///< from window to window; kernel_size if absent
  Size2d padding = 0;  ///< at each side, at most half of kernel_size; never the maximum
};

/// y[n,c,i,j] = max x[n,c,h,w] over h in i stride - padding + [0, KH), and w likewise; NaN if the
/// window holds a NaN. The gradient goes to the first of equal maxima.
///
/// x is (N, C, H, W), y (N, C, OH, OW) with OH = (H + 2 padding - KH) / stride + 1, rounded down.
/// Throws ShapeError for an x of another rank or smaller than the window, and ValueError for a
/// kernel or stride below 1 and a padding outside its range.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html
UNROLL_API Tensor max_pool2d(const Tensor& input, Size2d kernel_size,
                             const MaxPool2dOptions& options = {});

/// max_pool2d() as a module; it has no parameters.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
class UNROLL_API MaxPool2d : public Module {
 public:
  using Options = MaxPool2dOptions;
  /// Throws the ValueErrors of max_pool2d().
  explicit MaxPool2d(Size2d kernel_size, const Options& options = {});
  MaxPool2d(const Child& place, Size2d kernel_size, const Options& options = {});

  Tensor operator()(const Tensor& input) const { return max_pool2d(input, kernel_size_, options_); }

 private:
  Size2d kernel_size_;
  Options options_;
};

}  // namespace unroll::nn
