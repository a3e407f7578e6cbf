// The convolution over the steps of sequences.
#pragma once

#include <cstdint>
#include <span>

#include "unroll/core/api.h"
#include "unroll/core/random.h"
#include "unroll/core/step_windows.h"
#include "unroll/nn/module.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// y[n,u,o] = b[o] + sum_k,c w[o,c,k] x[n, u stride + k dilation - padding, c], where x is 0
/// outside the sequence. With G groups, output o reads only the C / G channels of its group.
///
/// x is (N, T, C), as for recurrent layers; PyTorch's is (N, C, T). weight is (O, C / G, K), bias
/// (O) or undefined; y is (N, U, O) with U = windows.outputs(T). `windows.kernel` is K.
///
/// `lengths` has the steps of each sequence; empty: all have T. Steps past a sequence's end count
/// as zeros, so a result does not depend on the other sequences. Sequence n then has
/// windows.outputs(lengths[n]) outputs, which are the lengths for the next layer. Outputs past them
/// are 0, and pass on no gradient.
///
/// Throws ShapeError for sizes that do not fit, and ValueError for a number outside its range and
/// for a sequence that is too short for one window. Source:
/// https://pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html
UNROLL_API Tensor conv1d(const Tensor& input, const Tensor& weight, const Tensor& bias = {},
                         const StepWindows& windows = {}, std::int64_t groups = 1,
                         std::span<const std::int64_t> lengths = {});

struct Conv1dOptions {
  std::int64_t stride = 1;
  std::int64_t padding = 0;  ///< steps of zeros at each end
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
  bool causal = false;  ///< zeros only at the start: no output reads a later step
  bool bias = true;
  DType dtype = DType::f32;
  Generator* generator = nullptr;  ///< default_generator() if null
};

/// conv1d() with parameters weight (out_channels, in_channels / groups, K) and bias (out_channels),
/// both initially uniform in +-1/sqrt(in_channels / groups K), as in PyTorch. Source:
/// https://pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
class UNROLL_API Conv1d : public Module {
 public:
  using Options = Conv1dOptions;
  /// Throws ValueError for a number outside its range, for channels that the groups do not divide,
  /// and for `causal` with a padding.
  Conv1d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel_size,
         const Options& options = {});
  Conv1d(const Child& place, std::int64_t in_channels, std::int64_t out_channels,
         std::int64_t kernel_size, const Options& options = {});

  Tensor operator()(const Tensor& input, std::span<const std::int64_t> lengths = {}) const {
    return conv1d(input, weight, bias, windows_, groups_, lengths);
  }

  /// The number of outputs for so many steps.
  std::int64_t outputs(std::int64_t steps) const { return windows_.outputs(steps); }

  Tensor weight, bias;

 private:
  void initialise(std::int64_t in_channels, std::int64_t out_channels, const Options& options);

  StepWindows windows_;
  std::int64_t groups_;
};

}  // namespace unroll::nn
