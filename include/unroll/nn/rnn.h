// The plain recurrent layer.
#pragma once

#include <vector>

#include "unroll/core/nonlinearity.h"
#include "unroll/core/precision.h"
#include "unroll/core/random.h"
#include "unroll/nn/module.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

struct RnnOptions {
  std::int64_t num_layers = 1;
  Nonlinearity nonlinearity = Nonlinearity::tanh;
  bool bias = true;
  bool batch_first = false;  ///< input and output are (N, T, ...) instead of (T, N, ...)
  DType dtype = DType::f32;
  Precision precision = Precision::full;
  Generator* generator = nullptr;  ///< default_generator() where null
};

/// What a recurrent layer returns.
struct RnnResult {
  Tensor
      output;  ///< (T, N, H), or (N, T, H) with batch_first: the last layer's state at every step
  Tensor h_n;  ///< (L, N, H): every layer's state after the last step
};

/// h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), with f = tanh or relu (Elman 1990).
///
/// Parameters of layer k: weight_ih_lk (H, I, or H, H above the first), weight_hh_lk (H, H),
/// bias_ih_lk (H), bias_hh_lk (H), all uniform in +-1/sqrt(H) at first, as in PyTorch.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.RNN.html
class Rnn : public Module {
 public:
  using Options = RnnOptions;
  /// Throws ValueError for sizes below 1, and for bf16 in another type than f32 or on a CPU without
  /// it.
  Rnn(std::int64_t input_size, std::int64_t hidden_size, const Options& options = {});
  Rnn(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
      const Options& options = {});

  /// input: (T, N, I), or (N, T, I) with batch_first; h_0: (L, N, H), zeros where undefined.
  /// Throws ShapeError naming what does not fit.
  RnnResult operator()(const Tensor& input, const Tensor& h_0 = {}) const;

  struct Layer {
    Tensor weight_ih, weight_hh, bias_ih, bias_hh;
  };
  const std::vector<Layer>& layers() const { return layers_; }

 private:
  void initialise();

  std::int64_t input_size_, hidden_size_;
  Options options_;
  std::vector<Layer> layers_;
};

}  // namespace unroll::nn
