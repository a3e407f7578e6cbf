// The state of recurrent layers between calls.
#pragma once

#include <cstdint>
#include <span>

#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// The state that a recurrent layer carries from one chunk of a long sequence to the next.
/// Truncated back-propagation through time (Williams, Peng 1990):
///
///     nn::State state;
///     for (const auto& chunk : chunks) {  // K steps of every sequence
///       state.reset(chunk.begins);        // sequences that begin here
///       const auto [output, h_n, c_n] = lstm(chunk.x, state);
///       loss_of(output, chunk).backward();
///       state = nn::State{h_n, c_n}.detach();  // gradients stop here
///     }
struct State {
  /// (L D, N, H), or (L D, N, P) with proj_size P. Zeros if undefined. Without a batch h and c have
  /// no N.
  Tensor h = {};
  Tensor c = {};  ///< (L D, N, H); only for a cell with a memory, such as Lstm

  /// The same numbers without history.
  State detach() const;

  /// Sets the state of sequence n to zero if begins[n] is not 0. `begins` has N flags. No gradient
  /// flows back through a reset state.
  /// Throws ShapeError for another number of flags, and for states without a batch.
  void reset(std::span<const std::uint8_t> begins);
};

}  // namespace unroll::nn
