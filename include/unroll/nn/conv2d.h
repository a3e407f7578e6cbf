// The two-dimensional convolution.
#pragma once

#include "unroll/core/api.h"
#include "unroll/core/random.h"
#include "unroll/nn/module.h"
#include "unroll/nn/size2d.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// y[n,o,i,j] = b[o] + sum_c,u,v w[o,c,u,v] x[n,c, i stride + u - padding, j stride + v - padding],
/// where x is 0 outside the image. (Strictly this is a cross-correlation; the field calls it
/// convolution.)
///
/// x is (N, C, H, W), weight (O, C, KH, KW), bias (O) or undefined; y is (N, O, OH, OW) with
/// OH = (H + 2 padding - KH) / stride + 1, rounded down. Throws ShapeError for sizes that do not
/// fit, and ValueError for a stride below 1 or a negative padding. Source:
/// https://pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html
UNROLL_API Tensor conv2d(const Tensor& input, const Tensor& weight, const Tensor& bias = {},
                         Size2d stride = 1, Size2d padding = 0);

struct Conv2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;  ///< rows and columns of zeros at each side
  bool bias = true;
  DType dtype = DType::f32;
  Generator* generator = nullptr;  ///< default_generator() if null
};

/// conv2d() with parameters weight (out_channels, in_channels, KH, KW) and bias (out_channels),
/// both initially uniform in +-1/sqrt(in_channels KH KW), as in PyTorch. Source:
/// https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
class UNROLL_API Conv2d : public Module {
 public:
  using Options = Conv2dOptions;
  /// Throws ValueError for sizes or a stride below 1 and for a negative padding.
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, Size2d kernel_size,
         const Options& options = {});
  Conv2d(const Child& place, std::int64_t in_channels, std::int64_t out_channels,
         Size2d kernel_size, const Options& options = {});

  Tensor operator()(const Tensor& input) const {
    return conv2d(input, weight, bias, stride_, padding_);
  }

  Tensor weight, bias;

 private:
  void initialise(std::int64_t in_channels, std::int64_t out_channels, Size2d kernel_size,
                  const Options& options);

  Size2d stride_, padding_;
};

}  // namespace unroll::nn
