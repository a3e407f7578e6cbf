// Rnn, Lstm and Gru behind one interface, for tests that all of them must pass.
#pragma once

#include <memory>
#include <string>

#include "support/all_cells.h"
#include "unroll/nn/recurrent.h"

namespace unroll::test {

using RecurrentKind = kernels::Cell;

inline constexpr auto recurrent_kinds = all_cells;

RecurrentKind recurrent_kind_of(const std::string& name);

struct RecurrentResult {
  Tensor output, h_n, c_n;  // c_n of Lstm alone
};

class AnyRecurrent {
 public:
  virtual ~AnyRecurrent() = default;
  virtual RecurrentResult operator()(const Tensor& input, const nn::State& initial = {},
                                     const nn::RecurrentCall& call = {}) const = 0;
  virtual nn::Recurrent& layer() = 0;
};

/// proj_size is Lstm's.
std::unique_ptr<AnyRecurrent> make_recurrent(RecurrentKind kind, std::int64_t input,
                                             std::int64_t hidden,
                                             const nn::RecurrentOptions& options = {},
                                             std::int64_t proj_size = 0);

}  // namespace unroll::test
