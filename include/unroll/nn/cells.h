// Single time steps of recurrent layers, for models with their own loop over time.
#pragma once

#include "unroll/core/api.h"
#include "unroll/core/nonlinearity.h"
#include "unroll/nn/recurrent.h"

namespace unroll::nn {

struct RnnCellOptions {
  bool bias = true;
  Nonlinearity nonlinearity = Nonlinearity::tanh;
  DType dtype = DType::f32;
  Generator* generator = nullptr;  ///< default_generator() if null
};

struct CellOptions {
  bool bias = true;
  DType dtype = DType::f32;
  Generator* generator = nullptr;  ///< default_generator() if null
};

// Parameters of a cell: weight_ih (G H, I), weight_hh (G H, H), bias_ih (G H), bias_hh (G H), all
// initially uniform in +-1/sqrt(H). The input is (N, I), states are (N, H); an undefined state is
// zeros. The constructors throw ValueError for sizes below 1. The calls throw ShapeError for sizes
// that do not fit. A step is bit-identical to a step of the layer. Source:
// https://pytorch.org/docs/stable/nn.html

/// One step of Rnn: h' = f(W_ih x + b_ih + W_hh h + b_hh).
class UNROLL_API RnnCell : public Recurrent {
 public:
  using Options = RnnCellOptions;
  RnnCell(std::int64_t input_size, std::int64_t hidden_size, const Options& options = {});
  RnnCell(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
          const Options& options = {});
  Tensor operator()(const Tensor& input, const Tensor& h = {}) const;
};

/// One step of Lstm.
class UNROLL_API LstmCell : public Recurrent {
 public:
  using Options = CellOptions;
  LstmCell(std::int64_t input_size, std::int64_t hidden_size, const Options& options = {});
  LstmCell(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
           const Options& options = {});
  State operator()(const Tensor& input, const State& state = {}) const;
};

/// One step of Gru.
class UNROLL_API GruCell : public Recurrent {
 public:
  using Options = CellOptions;
  GruCell(std::int64_t input_size, std::int64_t hidden_size, const Options& options = {});
  GruCell(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
          const Options& options = {});
  Tensor operator()(const Tensor& input, const Tensor& h = {}) const;
};

}  // namespace unroll::nn
