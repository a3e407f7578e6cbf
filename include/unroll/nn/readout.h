// Readouts: from the outputs of a recurrent layer to the input of the next layer.
#pragma once

#include <cstdint>
#include <span>

#include "unroll/core/api.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

enum class Readout {
  last,  ///< the output of each sequence's last step
  mean,  ///< mean over its steps
  /// maximum over its steps, element by element; the gradient goes to the first of equal maxima
  max,
  mean_last,   ///< mean, then last: 2 F features
  every_step,  ///< the output itself
};

/// The layout of a batch.
struct BatchLayout {
  std::span<const std::int64_t> lengths = {};  ///< steps of each sequence; empty: all T
  bool batch_first = false;
};

/// Reduces a layer's output (T, N, F), or (N, T, F) with batch_first, to (N, F). mean_last gives
/// (N, 2 F), every_step the output itself. Steps past a sequence's end are left out.
///
/// For a bidirectional layer take a mean, or h_n of its result: at the last step its reverse
/// direction has read one step only.
/// Throws ShapeError, and ValueError for a length outside 1 to T.
UNROLL_API Tensor readout(const Tensor& output, Readout kind, const BatchLayout& layout = {});

}  // namespace unroll::nn
