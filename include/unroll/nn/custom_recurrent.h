// A recurrent layer with a user-defined cell.
#pragma once

#include "unroll/core/api.h"
#include "unroll/core/cell.h"
#include "unroll/nn/recurrent.h"
#include "unroll/nn/state.h"

namespace unroll::nn {

struct CustomRecurrentResult {
  Tensor output;  ///< (T, N, D H), or (N, T, D H) with batch_first; see RnnResult
  Tensor h_n;     ///< (L D, N, H)
  Tensor c_n;     ///< (L D, N, H), if the cell has a memory
};

/// A recurrent layer with the caller's cell (unroll/core/cell.h). Everything else is as in Rnn,
/// Lstm and Gru. docs/adding_a_cell.md explains a cell; examples/custom_cell.cpp has one. A model
/// with this layer can be trained, and its weights can be saved. A file can't describe the cell, so
/// infer::Model can't run the model.
class UNROLL_API CustomRecurrent : public Recurrent {
 public:
  using Options = RecurrentOptions;  ///< regularisation without recurrent_dropout
  /// `cell` must outlive the layer; custom_cell of a type does.
  /// Throws the errors of Rnn's constructor, and ValueError for recurrent_dropout, for layer_norm
  /// with a cell that has a memory, for no gates, and for more joint gates than gates.
  CustomRecurrent(const CustomCell& cell, std::int64_t input_size, std::int64_t hidden_size,
                  const Options& options = {});
  CustomRecurrent(const Child& place, const CustomCell& cell, std::int64_t input_size,
                  std::int64_t hidden_size, const Options& options = {});

  /// Shapes and errors are those of Rnn's call. An undefined part of `initial` is zeros, or the
  /// learnt state.
  CustomRecurrentResult operator()(const Tensor& input, const State& initial = {},
                                   const RecurrentCall& call = {}) const;
};

}  // namespace unroll::nn
