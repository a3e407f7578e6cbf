// A recurrent layer with a cell of one's own.
#pragma once

#include "unroll/core/api.h"
#include "unroll/core/cell.h"
#include "unroll/nn/recurrent.h"
#include "unroll/nn/state.h"

namespace unroll::nn {

struct CustomRecurrentResult {
  Tensor output;  ///< (T, N, D H), or (N, T, D H) with batch_first: as RnnResult's
  Tensor h_n;     ///< (L D, N, H)
  Tensor c_n;     ///< (L D, N, H), where the cell has a memory
};

/// A layer whose arithmetic between sums and states is the caller's (unroll/core/cell.h); all else
/// is as in Rnn, Lstm and Gru. docs/adding_a_cell.md goes through a cell, examples/custom_cell.cpp
/// has one. A model with it trains and saves its weights; what it is can't be described in a file,
/// so it can't be run by `infer`.
class UNROLL_API CustomRecurrent : public Recurrent {
 public:
  using Options = RecurrentOptions;  ///< regularisation without recurrent_dropout
  /// `cell` must outlive the layer: custom_cell of a type does. Throws what Rnn's does, and
  /// ValueError for recurrent_dropout, for layer_norm with a cell that has a memory, and for traits
  /// that custom_cell would not compile: no gates, or more joint ones than gates.
  CustomRecurrent(const CustomCell& cell, std::int64_t input_size, std::int64_t hidden_size,
                  const Options& options = {});
  CustomRecurrent(const Child& place, const CustomCell& cell, std::int64_t input_size,
                  std::int64_t hidden_size, const Options& options = {});

  /// As Rnn's; each part of `initial` that is undefined is zeros.
  CustomRecurrentResult operator()(const Tensor& input, const State& initial = {},
                                   const RecurrentCall& call = {}) const;
};

}  // namespace unroll::nn
