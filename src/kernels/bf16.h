// The matrix product with operands rounded to bf16, for processors with AVX512_BF16.
//
// bf16 keeps 8 bits of f32's fraction and all of its range; two of them fit where one f32 was, and
// VDPBF16PS multiplies and adds twice as many in the same time. Sums stay in f32. The bits are the
// same for any number of threads, but not on every kind of processor: this instruction rounds in
// its own way (Intel SDM, VDPBF16PS).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/table.h"

namespace unroll::kernels {

/// Whether this CPU has the instruction, and the level in use (UNROLL_ISA) is "avx512". Throws what
/// table() throws.
bool bf16_available();

/// Numbers of 32 bits that `depth` rows of b take as pairs, each `stride` wide.
constexpr std::size_t pairs_size(std::size_t depth, std::size_t stride) {
  return (depth + 1) / 2 * stride;
}

/// Rows k and k + 1 of b (depth, columns), rounded and side by side: element (k / 2, column) of
/// `pairs` holds both. The last row of an odd depth is paired with zeros. `stride`, between rows of
/// pairs, is a multiple of 16; what pads the columns to such a multiple becomes zero.
void make_pairs(const float* b, std::ptrdiff_t b_k, std::size_t depth, std::size_t columns,
                std::uint32_t* pairs, std::size_t stride) noexcept;

/// table<float>().gemm with operands rounded to bf16, for the products of recurrent layers: either
/// all have b_pairs, the second's right behind the first's, and adjacent rows of a (a_k = 1, no
/// repeats); or there is one, with adjacent columns of a (a_row = 1). The last columns' pairs are
/// read as a whole vector of 16, which must be memory. Call only where bf16_available().
void gemm_bf16(const Gemm<float>& g) noexcept;

}  // namespace unroll::kernels
