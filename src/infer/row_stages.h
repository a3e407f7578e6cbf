// Stages on single rows: one implementation for whole sequences, vectors and streams.
#pragma once

#include <span>
#include <vector>

#include "infer/compiled.h"
#include "kernels/recurrent.h"

namespace unroll::infer {

/// The rows that a stage reads and writes: T steps of N rows.
template <class T>
struct Block {
  std::size_t steps = 0, rows = 0;  // T, N
  kernels::Sequence<const T> in;    // (T, N, I)
  kernels::Sequence<T> out;         // (T, N, O), in other memory
  /// The inputs of earlier stages that a residual connection adds: (T, N, F) without gaps, with
  /// room for `kept_rows` rows per step.
  std::span<const std::vector<T>> kept;
  std::size_t kept_rows = 0;
  bool on_all_threads = false;
};

/// A block of one step with adjacent rows: `in` (N, I) and `out` (N, O).
template <class T>
Block<T> block_of_rows(std::size_t rows, const T* in, std::size_t inputs, T* out,
                       std::size_t outputs) noexcept {
  Block<T> block;
  block.steps = 1;
  block.rows = block.kept_rows = rows;
  block.in = {in, 0, static_cast<std::ptrdiff_t>(inputs)};
  block.out = {out, 0, static_cast<std::ptrdiff_t>(outputs)};
  return block;
}

/// out = stage(in), row by row. Allocates no memory. An embedding gives its first row for a number
/// that is not a token. Callers refuse such numbers, except past the end of a sequence, where the
/// result is not used.
template <class T>
void run_rows(const RowStage<T>& stage, const Block<T>& block) noexcept;

}  // namespace unroll::infer
