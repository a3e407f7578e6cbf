// The output of a recurrent layer as those see it that come behind the layer.
#pragma once

#include <cstddef>
#include <string_view>

#include "nn/sequence_rows.h"
#include "unroll/nn/readout.h"

namespace unroll::nn {

/// An output without history, and how much of it there is.
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

/// Throws ShapeError and ValueError for what does not fit.
Outputs outputs_of(std::string_view operation, const Tensor& output, const BatchLayout& layout);

/// (N, T, F) as (T, N, F) where the layout says so.
inline Tensor steps_first(const Tensor& y, bool batch_first) {
  return batch_first ? y.transpose(0, 1) : y;
}

}  // namespace unroll::nn
