// Long short-term memory.
#pragma once

#include "unroll/core/api.h"
#include "unroll/nn/recurrent.h"
#include "unroll/nn/state.h"

namespace unroll::nn {

/// RecurrentOptions, and the options that only Lstm has.
struct LstmOptions {
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;
  bool bidirectional = false;
  std::int64_t proj_size = 0;  ///< P < H: h_t = W_hr (o tanh(c_t)) has P elements; 0: no projection
  /// Added to the forget gate's part of bias_ih initially, and so to the sum of both biases. 1 lets
  /// a new layer remember (Jozefowicz, Zaremba, Sutskever, "An empirical exploration of recurrent
  /// network architectures", 2015). 0 is PyTorch's value.
  double forget_bias = 0;
  RecurrentRegularisation regularisation = {};
  bool learn_initial_state = false;
  DType dtype = DType::f32;
  Precision precision = Precision::full;
  Generator* generator = nullptr;
};

struct LstmResult {
  Tensor output;  ///< (T, N, D H), or (N, T, D H) with batch_first; see RnnResult
  Tensor h_n;     ///< (L D, N, H)
  Tensor c_n;     ///< (L D, N, H), never projected
};

/// Long short-term memory (Hochreiter, Schmidhuber 1997; Gers 2000). G = 4 gates in the order i, f,
/// g, o:
///
///     i, f, o = sigmoid(W_i. x_t + b_i. + W_h. h_{t-1} + b_h.)
///     g = tanh(W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)
///     c_t = f c_{t-1} + i g
///     h_t = o tanh(c_t), or W_hr (o tanh(c_t)) with proj_size
///
/// With proj_size P, every h has P elements instead of H. There are also weights weight_hr_lk (P,
/// H), drawn after the biases (Sak 2014). With layer_norm there are also
/// layer_norm_c_lk.{weight,bias} (H).
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html
class UNROLL_API Lstm : public Recurrent {
 public:
  using Options = LstmOptions;
  /// Throws the errors of Rnn's constructor, and ValueError for a proj_size outside [0,
  /// hidden_size), for a forget_bias that is not finite, and for a forget_bias without biases.
  Lstm(std::int64_t input_size, std::int64_t hidden_size, const Options& options = {});
  Lstm(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
       const Options& options = {});

  /// Shapes and errors are those of Rnn's call. An undefined part of `initial` is zeros, or the
  /// learnt state.
  LstmResult operator()(const Tensor& input, const State& initial = {},
                        const RecurrentCall& call = {}) const;

 private:
  static Kind kind(std::int64_t input_size, std::int64_t hidden_size, const Options& options);
};

}  // namespace unroll::nn
