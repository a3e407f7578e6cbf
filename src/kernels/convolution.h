// Two-dimensional convolutions as products: forward, and both gradients.
//
// Each channel of an image is copied once for each column of the kernel, shifted by it. The rows of
// the kernel are then rows of that copy. So one product per image makes the forward pass. The same
// pass with the kernel turned by 180 degrees gives the input's gradient.
#pragma once

#include <cstddef>

#include "core/shards.h"
#include "unroll/core/size2d.h"

namespace unroll::kernels {

/// x is (N, C, H, W), the weight (O, C, KH, KW), y (N, O, OH, OW).
struct ConvolutionShape {
  std::size_t batch = 0, channels = 0, outputs = 0;  // N, C, O
  Size2d input{}, kernel{}, output{};                // H x W, KH x KW, OH x OW
  Size2d stride{}, padding{};
  Shards shards;  // of the batch, for the gradient of the weights

  std::size_t weights() const { return outputs * channels * kernel.numel(); }
};

/// The division of the work, which changes no bit, and the elements of scratch for each pass.
struct ConvolutionPlan {
  explicit ConvolutionPlan(const ConvolutionShape& s);

  ConvolutionShape shape;
  std::size_t tasks;   // largest number of tasks
  std::size_t nodes;   // of the tree over shards, each with its own gradients of the weights
  std::size_t strips;  // of kernel columns, which share the gradients of a channel
  std::size_t forward_scratch, input_scratch, weight_scratch;
};

/// y = bias (or 0) + the sum of w[o,c,kh,kw] x over c, kw, kh, in that order.
template <class T>
void convolve(const ConvolutionPlan& plan, const T* x, const T* weight, const T* bias, T* y,
              T* scratch) noexcept;

/// dx: each element is a sum over o, kw, kh, from the kernel's last column and row to its first.
template <class T>
void convolution_input_gradient(const ConvolutionPlan& plan, const T* dy, const T* weight, T* dx,
                                T* scratch) noexcept;

/// dweight, and dbias (O) unless it is null. Each shard sums over images and positions in ascending
/// order. Then the tree adds the shards (core/shards.h).
template <class T>
void convolution_weight_gradient(const ConvolutionPlan& plan, const T* x, const T* dy, T* dweight,
                                 T* dbias, T* scratch) noexcept;

}  // namespace unroll::kernels
