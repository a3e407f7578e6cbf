// Precision of the matrix products in recurrent layers.
#pragma once

namespace unroll {

enum class Precision {
  full,  ///< products in the type of the tensors
  /// Operands of products are rounded to bf16 (8 significant bits). Sums, weights and everything
  /// else stay f32. Needs a CPU with AVX512_BF16. Bits are the same for any number of threads, but
  /// not on every CPU.
  bf16,
};

}  // namespace unroll
