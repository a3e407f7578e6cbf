// Running a model on an array of numbers, as NumPy and PyTorch have them.
#pragma once

#include <cstdint>
#include <vector>

#include "unroll/infer/model.h"
#include "unroll/io/npy.h"

namespace unroll::app {

template <class T>
struct Outputs {
  std::vector<std::int64_t> shape;  // (N, C), or (N, T, C) of each step; without N as the input is
  std::vector<T> values;
};

/// Runs a model on its inputs as they are, without the scaling of pixels: (N, T, I), or (T, I) of
/// one sequence, or (N, T) of series of one number a step; tokens as (N, T), or (T) of one
/// sequence; of a model that reads no sequences (N, ...) with I numbers each. Throws ShapeError
/// where the array does not fit; FormatError for a number that is none of the tokens.
template <class T>
Outputs<T> run_array(const infer::Model<T>& model, const io::NpyArray& input);

}  // namespace unroll::app
