// A stack of recurrent layers over whole sequences, as one operation on the tape.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <span>
#include <vector>

#include "kernels/packed_stack.h"
#include "nn/packed_weights.h"
#include "tensor/tensor_impl.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// The factors of the regularisers in one layer and direction. They are scaled and without history.
/// Undefined means no factor.
struct LayerFactors {
  Tensor input;      // (N, I) or (T, N, I); set for the forward direction only, for the whole layer
  Tensor state;      // (N, P)
  Tensor candidate;  // (T, N, H)
  Tensor zone_h;     // (T, N, P): share of the old state that stays
  Tensor zone_c;     // (T, N, H)
  Tensor weight_hh;  // (G H, P)
};

/// A checked call: all sizes below fit. P is the size of h.
struct StackCall {
  kernels::StackShape shape;  // without the flags that follow from the factors
  bool batch_first = false;
  double zone_h_rate = 0, zone_c_rate = 0;
  // (N), descending; empty: all are T.
  std::pmr::vector<std::size_t> lengths{current_workspace().get()};
  std::pmr::vector<LayerFactors> factors{
      current_workspace().get()};  // layer k, direction d is at k D + d
};

struct StackResult {
  Tensor output;  // (T, N, D P), or (N, T, D P) with batch_first
  Tensor h_n;     // (L D, N, P)
  Tensor c_n;     // (L D, N, H), if the cell has a memory
};

/// Runs the stack. There are as many weights as call.factors. input is (T, N, I), or (N, T, I) with
/// batch_first; h_0 is (L D, N, P) and c_0 (L D, N, H), or undefined for zeros. `kept` holds the
/// packed weights of earlier calls with these weights.
StackResult run_stack(StackCall&& call, std::span<const PerRole<Tensor>> weights,
                      const Tensor& input, const Tensor& h_0, const Tensor& c_0,
                      PackedWeights& kept);

}  // namespace unroll::nn
