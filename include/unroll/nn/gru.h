// The gated recurrent unit.
#pragma once

#include "unroll/core/api.h"
#include "unroll/nn/recurrent.h"

namespace unroll::nn {

using GruOptions = RecurrentOptions;  ///< without regularisation.zoneout.c

struct GruResult {
  Tensor output;  ///< (T, N, D H), or (N, T, D H) with batch_first; see RnnResult
  Tensor h_n;     ///< (L D, N, H)
};

/// Gated recurrent units (Cho 2014) in PyTorch's form: the reset gate multiplies the product W_hn
/// h. G = 3 gates in the order r, z, n:
///
///     r = sigmoid(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)
///     z = sigmoid(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)
///     n = tanh(W_in x_t + b_in + r (W_hn h_{t-1} + b_hn))
///     h_t = (1 - z) n + z h_{t-1}
///
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.GRU.html
class UNROLL_API Gru : public Recurrent {
 public:
  using Options = GruOptions;
  /// Throws the errors of Rnn's constructor.
  Gru(std::int64_t input_size, std::int64_t hidden_size, const Options& options = {});
  Gru(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
      const Options& options = {});

  /// Shapes and errors are those of Rnn's call.
  GruResult operator()(const Tensor& input, const Tensor& h_0 = {},
                       const RecurrentCall& call = {}) const;
};

}  // namespace unroll::nn
