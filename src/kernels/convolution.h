// Two-dimensional convolutions as products: forward, and both gradients.
//
// An image's channels are written out once for each column of the kernel, shifted by it; the rows
// of the kernel then are rows of that copy. So one product an image does the forward pass, and the
// same pass with the kernel turned around gives the input's gradient.
#pragma once

#include <cstddef>

#include "unroll/core/size2d.h"

namespace unroll::kernels {

/// x is (N, C, H, W), the weight (O, C, KH, KW), y (N, O, OH, OW).
struct ConvolutionShape {
  std::size_t batch = 0, channels = 0, outputs = 0;  // N, C, O
  Size2d input{}, kernel{}, output{};                // H x W, KH x KW, OH x OW
  Size2d stride{}, padding{};

  std::size_t weights() const { return outputs * channels * kernel.numel(); }
};

/// How the work is divided, and the elements of scratch that each pass needs.
struct ConvolutionPlan {
  explicit ConvolutionPlan(const ConvolutionShape& s);

  ConvolutionShape shape;
  std::size_t slices;  // of the batch, each with weight gradients of its own; from the shape alone
  std::size_t tasks;   // at most; as many as keep the threads busy, which changes no bit
  std::size_t forward_scratch, input_scratch, weight_scratch;
};

/// y = bias (or 0) + the sum over c, kw, kh, in that order, of w[o,c,kh,kw] times x.
template <class T>
void convolve(const ConvolutionPlan& plan, const T* x, const T* weight, const T* bias, T* y,
              T* scratch) noexcept;

/// dx: each element the sum over o, kw, kh, the last column and row of the kernel first.
template <class T>
void convolution_input_gradient(const ConvolutionPlan& plan, const T* dy, const T* weight, T* dx,
                                T* scratch) noexcept;

/// dweight, and dbias (O) unless it is null: in each slice of the batch the sum over images and
/// places in ascending order, then the slices pairwise as in docs/numerics.md.
template <class T>
void convolution_weight_gradient(const ConvolutionPlan& plan, const T* x, const T* dy, T* dweight,
                                 T* dbias, T* scratch) noexcept;

}  // namespace unroll::kernels
