// The state of recurrent layers between calls.
#pragma once

#include <cstdint>
#include <span>

#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// What a recurrent layer carries from one chunk of a long sequence to the next. Truncated
/// back-propagation through time (Williams, Peng 1990):
///
///     nn::State state;
///     for (const auto& chunk : chunks) {  // K steps of every sequence
///       state.reset(chunk.begins);        // sequences that begin here
///       const auto [output, h_n, c_n] = lstm(chunk.x, state);
///       loss_of(output, chunk).backward();
///       state = nn::State{h_n, c_n}.detach();  // gradients stop here
///     }
struct State {
  /// (L D, N, H), or proj_size instead of H; zeros where undefined. Without N, as c, for an input
  /// without a batch.
  Tensor h = {};
  Tensor c = {};  ///< (L D, N, H); Lstm alone has it

  /// The same numbers without history.
  State detach() const;

  /// Sets the states of those sequences to zero whose flag is not 0; `begins` has one a sequence.
  /// No gradient flows back from them. Throws ShapeError for another number of flags, and for
  /// states without a batch.
  void reset(std::span<const std::uint8_t> begins);
};

}  // namespace unroll::nn
