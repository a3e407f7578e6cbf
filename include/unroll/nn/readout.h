// From the outputs of a recurrent layer to what the next layer reads.
#pragma once

#include <cstdint>
#include <span>

#include "unroll/core/api.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

enum class Readout {
  last,        ///< the output of each sequence's last step
  mean,        ///< over its steps
  max,         ///< over its steps, of each element; its gradient goes to the first of equals
  mean_last,   ///< mean, then last: [.., 2 F]
  every_step,  ///< the output as it is
};

/// What the batch looks like.
struct BatchLayout {
  std::span<const std::int64_t> lengths = {};  ///< steps of each sequence; all T where empty
  bool batch_first = false;
};

/// Reads off a layer's output (T, N, F), or (N, T, F) with batch_first: (N, F), (N, 2 F) for
/// mean_last, the output itself for every_step. Steps past a sequence's end have no part in it.
///
/// A reverse direction has seen but one step at the last: for a bidirectional layer take a mean or
/// the h_n of its result. Throws ShapeError, and ValueError for a length outside 1 to T.
UNROLL_API Tensor readout(const Tensor& output, Readout kind, const BatchLayout& layout = {});

}  // namespace unroll::nn
