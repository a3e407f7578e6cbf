// The output of a recurrent layer, for readouts and penalties.
#pragma once

#include <cstddef>
#include <string_view>

#include "nn/sequence_rows.h"
#include "unroll/nn/readout.h"

namespace unroll::nn {

/// An output without history, and the lengths of its sequences.
struct Outputs {
  Tensor y;        // (T, N, F) with adjacent features
  Tensor lengths;  // i64 (N): the steps of each sequence

  std::size_t steps() const { return static_cast<std::size_t>(y.size(0)); }
  std::size_t batch() const { return static_cast<std::size_t>(y.size(1)); }
  std::size_t features() const { return static_cast<std::size_t>(y.size(2)); }
  std::size_t length(std::size_t n) const {
    return static_cast<std::size_t>(lengths.values<std::int64_t>()[n]);
  }
};

/// Throws ShapeError and ValueError if output and layout do not fit.
Outputs outputs_of(std::string_view operation, const Tensor& output, const BatchLayout& layout);

/// Turns (N, T, F) into (T, N, F) with batch_first.
inline Tensor steps_first(const Tensor& y, bool batch_first) {
  return batch_first ? y.transpose(0, 1) : y;
}

}  // namespace unroll::nn
