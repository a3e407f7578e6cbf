// The plain recurrent layer.
#pragma once

#include "unroll/core/api.h"
#include "unroll/core/nonlinearity.h"
#include "unroll/nn/recurrent.h"

namespace unroll::nn {

/// RecurrentOptions, and the nonlinearity.
struct RnnOptions {
  std::int64_t num_layers = 1;
  Nonlinearity nonlinearity = Nonlinearity::tanh;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;
  bool bidirectional = false;
  RecurrentRegularisation regularisation = {};  ///< without recurrent_dropout, zoneout.c
  bool learn_initial_state = false;
  DType dtype = DType::f32;
  Precision precision = Precision::full;
  Generator* generator = nullptr;
};

/// The result of a recurrent layer.
struct RnnResult {
  /// (T, N, D H), or (N, T, D H) with batch_first: the last layer's states h at every step, the
  /// forward direction first. An input without a batch gives output and h_n without N.
  Tensor output;
  Tensor h_n;  ///< (L D, N, H): the state of every layer and direction after its last step
};

/// h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), with f = tanh or relu (Elman 1990). G = 1.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.RNN.html
class UNROLL_API Rnn : public Recurrent {
 public:
  using Options = RnnOptions;
  /// Throws ValueError for sizes below 1, for probabilities outside [0, 1], for a regulariser that
  /// the layer can't have, and for bf16 with another type than f32 or on a CPU without AVX512_BF16.
  Rnn(std::int64_t input_size, std::int64_t hidden_size, const Options& options = {});
  Rnn(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
      const Options& options = {});

  /// input is (T, N, I), or (N, T, I) with batch_first. h_0 is (L D, N, H); if undefined, it is
  /// zeros, or the learnt state. One sequence without a batch: input (T, I), also with batch_first,
  /// h_0 (L D, H), and no lengths.
  /// Throws ShapeError for sizes that do not fit, and ValueError for a length outside 1 to T and
  /// for lengths without a batch. Not for two threads at once in training mode.
  RnnResult operator()(const Tensor& input, const Tensor& h_0 = {},
                       const RecurrentCall& call = {}) const;
};

}  // namespace unroll::nn
