// Memory tasks for recurrent networks, made from random numbers.
#pragma once

#include <cstdint>

#include "unroll/core/api.h"
#include "unroll/data/dataset.h"
#include "unroll/tensor/tensor.h"

namespace unroll::data {

/// Defines an endless list of sequences. Sequence k is a pure function of these members and k. So a
/// batch does not depend on the batches before it, the batch size or the number of threads, and a
/// resumed run continues with the next k.
struct SequenceTask {
  std::int64_t length = 100;  ///< T, the steps over which something must be remembered
  std::uint64_t seed = 0;
  Split split = Split::train;  ///< the two lists of one seed are independent
  DType dtype = DType::f32;    ///< f64 holds the numbers of f32, widened
};

/// One batch; structured bindings give `auto [inputs, targets]`.
struct SequenceBatch {
  Tensor inputs;   ///< (N, T, I)
  Tensor targets;  ///< see the task
};

/// Sequences first to first + count - 1 of the adding problem: what do the two marked numbers add
/// up to?
///
/// inputs (N, T, 2): a number uniform in [0, 1), and a mark. The mark is 1 at one step of the first
/// half (t < floor(T / 2)) and at one step of the second half, else 0. targets (N, 1): the sum of
/// the marked numbers. The constant answer 1 has a mean squared error of 1/6.
/// Throws ValueError for a length outside [2, 2^20], a negative `first`, or a count below 1 or of
/// more than 2^31 input numbers.
/// Source: Hochreiter, Schmidhuber, "Long short-term memory", 1997, in the form of Arjovsky, Shah,
/// Bengio, "Unitary evolution recurrent neural networks", 2016, and Bai, Kolter, Koltun, "An
/// empirical evaluation of generic convolutional and recurrent networks", 2018.
UNROLL_API SequenceBatch adding(const SequenceTask& task, std::int64_t first, std::int64_t count);

inline constexpr std::int64_t copy_symbols = 8;    ///< symbols to remember: 0 to 7
inline constexpr std::int64_t copy_memory = 10;    ///< number of symbols in a row
inline constexpr std::int64_t copy_alphabet = 10;  ///< symbols, the blank (8) and the delimiter (9)
inline constexpr std::int64_t no_target = -100;    ///< nn::CrossEntropyOptions::ignore_index

/// Sequences first to first + count - 1 of the copy problem: which ten symbols came T steps ago?
///
/// inputs (N, T + 20, 10), one-hot: ten symbols uniform in 0 to 7, T - 1 blanks, the delimiter, ten
/// blanks. targets (N, T + 20) of i64: the ten symbols, in their order, at the last ten steps, and
/// no_target before. Guessing has a cross-entropy of log 8.
/// Throws ValueError for a length outside [1, 2^20], a negative `first`, or a count below 1 or of
/// more than 2^31 input numbers.
/// Source: as adding(); the published loss also counts the blanks before the answer.
UNROLL_API SequenceBatch copying(const SequenceTask& task, std::int64_t first, std::int64_t count);

}  // namespace unroll::data
