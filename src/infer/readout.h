// Readouts: gathering over the steps of a sequence, and the result at the end. Sums are in the
// order of the steps.
#pragma once

#include <algorithm>
#include <cstddef>

#include "unroll/spec/layers.h"

namespace unroll::infer {

/// Whether the readout needs more than the last state.
inline bool gathers(spec::Readout readout) {
  return readout == spec::Readout::mean || readout == spec::Readout::max ||
         readout == spec::Readout::mean_last;
}

/// Gathers one more state. `first`: it is the first one.
template <class T>
void gather(spec::Readout readout, const T* h, std::size_t width, bool first,
            T* gathered) noexcept {
  if (first) {
    std::copy_n(h, width, gathered);
  } else if (readout == spec::Readout::max) {
    for (std::size_t j = 0; j < width; ++j) {
      // NaN replaces any number, and stays.
      const bool larger = h[j] > gathered[j] || h[j] != h[j];
      gathered[j] = larger ? h[j] : gathered[j];
    }
  } else {
    for (std::size_t j = 0; j < width; ++j) gathered[j] += h[j];
  }
}

/// Writes the readout's features from the gathered values over `steps` steps and the last state.
template <class T>
void finish(spec::Readout readout, const T* gathered, const T* last, std::size_t width,
            std::size_t steps, T* out) noexcept {
  using spec::Readout;
  if (readout == Readout::max) {
    std::copy_n(gathered, width, out);
    return;
  }
  if (readout == Readout::mean || readout == Readout::mean_last) {
    const T count = static_cast<T>(steps);
    for (std::size_t j = 0; j < width; ++j) out[j] = gathered[j] / count;
    out += width;
  }
  if (readout != Readout::mean) std::copy_n(last, width, out);
}

}  // namespace unroll::infer
