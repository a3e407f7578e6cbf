// A stack of recurrent layers over whole sequences, as one operation on the tape.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <span>
#include <vector>

#include "kernels/recurrent.h"
#include "tensor/tensor_impl.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// What the regularisers multiply with in one layer and direction, already scaled and without
/// history; undefined is none.
struct LayerFactors {
  Tensor input;      // (N, I) or (T, N, I); the forward direction's is that of the whole layer
  Tensor state;      // (N, P)
  Tensor candidate;  // (T, N, H)
  Tensor zone_h;     // (T, N, P): how much of the old state stays
  Tensor zone_c;     // (T, N, H)
  Tensor weight_hh;  // (G H, P)
};

/// A call, checked: every size below fits. P is the size of h.
struct StackCall {
  kernels::RecurrentShape shape;  // of the first layer, but for what the factors ask for
  std::size_t layers = 1, directions = 1;
  bool batch_first = false;
  double zone_h_rate = 0, zone_c_rate = 0;
  // (N), none greater than the one before it; empty: all are T.
  std::pmr::vector<std::size_t> lengths{current_workspace().get()};
  std::pmr::vector<LayerFactors> factors{
      current_workspace().get()};  // layer k, direction d: k D + d
};

struct StackResult {
  Tensor output;  // (T, N, D P), or (N, T, D P) with batch_first
  Tensor h_n;     // (L D, N, P)
  Tensor c_n;     // (L D, N, H), where the cell has a memory
};

/// weights as many as call.factors, input (T, N, I) or (N, T, I), h_0 (L D, N, P) and c_0 (L D, N,
/// H) or undefined for zeros.
StackResult run_stack(StackCall&& call, std::span<const PerRole<Tensor>> weights,
                      const Tensor& input, const Tensor& h_0, const Tensor& c_0);

}  // namespace unroll::nn
