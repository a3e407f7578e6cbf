// The matrix product with operands rounded to bf16, for processors with AVX512_BF16.
//
// bf16 has 8 significant bits and f32's range. Two bf16 fit in the place of one f32, and VDPBF16PS
// multiplies and adds twice as many in the same time. Sums stay in f32. The bits are the same for
// any number of threads, but not on every kind of processor, because this instruction rounds in its
// own way (Intel SDM, VDPBF16PS).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/table.h"

namespace unroll::kernels {

/// Whether this CPU has the instruction and the level in use (UNROLL_ISA) is "avx512". Throws the
/// errors of table().
bool bf16_available();

/// Number of 32-bit words for `depth` rows of b as pairs, with rows `stride` wide.
constexpr std::size_t pairs_size(std::size_t depth, std::size_t stride) {
  return (depth + 1) / 2 * stride;
}

/// Rounds b (depth, columns) and pairs rows k and k + 1: element (k / 2, column) of `pairs` holds
/// both. The last row of an odd depth is paired with zeros. `stride`, between rows of pairs, is a
/// multiple of 16. Columns are padded with zeros to a multiple of 16.
void make_pairs(const float* b, std::ptrdiff_t b_k, std::size_t depth, std::size_t columns,
                std::uint32_t* pairs, std::size_t stride) noexcept;

/// table<float>().gemm with operands rounded to bf16, for the products of recurrent layers. Either
/// all products have b_pairs, the second's right behind the first's, and adjacent rows of a (a_k =
/// 1, no repeats). Or there is a single product, with adjacent columns of a (a_row = 1). The last
/// columns' pairs are read as a whole vector of 16, so this memory must exist. Call only if
/// bf16_available().
void gemm_bf16(const Gemm<float>& g) noexcept;

}  // namespace unroll::kernels
