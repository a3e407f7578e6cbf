// How exactly recurrent layers multiply.
#pragma once

namespace unroll {

enum class Precision {
  full,  ///< in the type of the tensors
  /// Operands of products rounded to bf16 (8 bits of fraction), sums, weights and all else in f32.
  /// Needs a CPU with AVX512_BF16; the same bits for any number of threads, but not on every CPU.
  bf16,
};

}  // namespace unroll
