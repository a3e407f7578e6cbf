// Long short-term memory.
#pragma once

#include "unroll/core/api.h"
#include "unroll/nn/recurrent.h"
#include "unroll/nn/state.h"

namespace unroll::nn {

/// RecurrentOptions and what only Lstm has.
struct LstmOptions {
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;
  bool bidirectional = false;
  std::int64_t proj_size = 0;  ///< P < H: h_t = W_hr (o tanh(c_t)) has P elements; 0: no W_hr
  /// Added to the forget gate's part of bias_ih at first, so to the sum of both biases: 1 lets a
  /// new layer remember (Jozefowicz, Zaremba, Sutskever, "An empirical exploration of recurrent
  /// network architectures", 2015). 0 is what PyTorch does.
  double forget_bias = 0;
  RecurrentRegularisation regularisation = {};
  bool learn_initial_state = false;
  DType dtype = DType::f32;
  Precision precision = Precision::full;
  Generator* generator = nullptr;
};

struct LstmResult {
  Tensor output;  ///< (T, N, D H), or (N, T, D H) with batch_first: as RnnResult's
  Tensor h_n;     ///< (L D, N, H)
  Tensor c_n;     ///< (L D, N, H), never projected
};

/// A layer of long short-term memory (Hochreiter, Schmidhuber 1997; Gers 2000); G = 4, in the order
/// i, f, g, o:
///
///     i, f, o = sigmoid(W_i. x_t + b_i. + W_h. h_{t-1} + b_h.)
///     g = tanh(W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)
///     c_t = f c_{t-1} + i g
///     h_t = o tanh(c_t), or W_hr (o tanh(c_t)) with proj_size
///
/// With proj_size P the h of all shapes has P elements instead of H, and there are weights
/// weight_hr_lk (P, H), drawn after the biases (Sak 2014). With layer_norm there are also
/// layer_norm_c_lk.{weight,bias} (H).
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html
class UNROLL_API Lstm : public Recurrent {
 public:
  using Options = LstmOptions;
  /// Throws what Rnn's does, and ValueError for a proj_size outside [0, hidden_size) and for a
  /// forget_bias that is not finite or has no biases.
  Lstm(std::int64_t input_size, std::int64_t hidden_size, const Options& options = {});
  Lstm(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
       const Options& options = {});

  /// As Rnn's; each part of `initial` that is undefined is zeros.
  LstmResult operator()(const Tensor& input, const State& initial = {},
                        const RecurrentCall& call = {}) const;

 private:
  static Kind kind(std::int64_t input_size, std::int64_t hidden_size, const Options& options);
};

}  // namespace unroll::nn
