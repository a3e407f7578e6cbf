// Runs a model on an array from NumPy or PyTorch.
#pragma once

#include <cstdint>
#include <vector>

#include "unroll/infer/model.h"
#include "unroll/io/npy.h"

namespace unroll::app {

template <class T>
struct Outputs {
  std::vector<std::int64_t>
      shape;  // (N, C), or (N, T, C) for every step; no N if the input has none
  std::vector<T> values;
};

/// Runs a model on its inputs without scaling. Shapes:
///
/// - sequences: (N, T, I); one sequence (T, I); one number a step (N, T)
/// - tokens: (N, T); one sequence (T)
/// - no sequences: (N, ...) with I numbers each
///
/// Throws ShapeError for any other shape, FormatError for a number that is not a token.
template <class T>
Outputs<T> run_array(const infer::Model<T>& model, const io::NpyArray& input);

}  // namespace unroll::app
