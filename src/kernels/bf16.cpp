#include "kernels/bf16.h"

#include <hwy/base.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#if defined(__x86_64__) && !defined(UNROLL_INFERENCE)
#include <cpuid.h>
#include <immintrin.h>

// g++ 12 warns about undefined values inside its own intrinsics.
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

// Highway 1.0.3 has no operation for VDPBF16PS, so this is the only file with intrinsics.
#define UNROLL_BF16_TARGET "avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,avx2,fma"
HWY_PUSH_ATTRIBUTES(UNROLL_BF16_TARGET)

namespace unroll::kernels {
namespace {

constexpr std::size_t kLanes = 16;
constexpr std::size_t kBlockRows = 6, kBlockVectors = 4;
// Sizes of the pieces that are rounded at a time: rows of a, columns of b, and pairs of the depth.
constexpr std::size_t kRows = 128, kColumns = 256, kPairs = 64;

/// A block's sums and operands. Strides count pairs.
struct Block {
  const std::uint32_t* a;  // the pair (row, k) at row * a_row + k * a_k
  std::size_t a_row, a_k;
  const std::uint32_t* b;  // the pairs (k, column) at k * b_k + column
  std::size_t b_k, depth;
  const float* init;
  std::ptrdiff_t init_row;
  float* out;
  std::ptrdiff_t out_row;
  Epilogue epilogue;
  const float* saved;
  std::ptrdiff_t saved_row;
};

__mmask16 first_lanes(std::size_t count) { return static_cast<__mmask16>((1u << count) - 1u); }

__m512 finish(__m512 sum, Epilogue epilogue, const float* saved, __mmask16 lanes) {
  const __m512 zero = _mm512_setzero_ps();
  switch (epilogue) {
    case Epilogue::relu:
      return _mm512_mask_mov_ps(sum, _mm512_cmp_ps_mask(sum, zero, _CMP_LT_OQ), zero);
    case Epilogue::relu_derivative: {
      const __m512 y = _mm512_maskz_loadu_ps(lanes, saved);
      return _mm512_mask_mov_ps(sum, _mm512_cmp_ps_mask(y, zero, _CMP_LE_OQ), zero);
    }
    case Epilogue::tanh_derivative: {
      const __m512 y = _mm512_maskz_loadu_ps(lanes, saved);
      return _mm512_mul_ps(_mm512_fnmadd_ps(y, y, _mm512_set1_ps(1)), sum);
    }
    case Epilogue::tanh:  // applied after the block, in memory
    case Epilogue::none:
    case Epilogue::add:  // not for bf16
      break;
  }
  return sum;
}

/// kM rows x kV vectors, the last of `last` lanes; with kHalf, of at most 8.
template <std::size_t kM, std::size_t kV, bool kHalf>
void run_block(const Block& g, std::size_t last) {
  constexpr std::size_t kFull = kHalf ? kV - 1 : kV;
  const __mmask16 mask = first_lanes(last);
  const __mmask16 masks[2] = {static_cast<__mmask16>(0xffff), mask};
  __m512 sum[kM][kFull > 0 ? kFull : 1];
  __m256 half[kM];
#pragma GCC unroll 8
  for (std::size_t m = 0; m < kM; ++m) {
    const float* init = g.init + static_cast<std::ptrdiff_t>(m) * g.init_row;
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kFull; ++v)
      sum[m][v] = g.init ? _mm512_maskz_loadu_ps(masks[v + 1 == kV], init + v * kLanes)
                         : _mm512_setzero_ps();
    if constexpr (kHalf)
      half[m] = g.init ? _mm256_maskz_loadu_ps(static_cast<__mmask8>(mask), init + kFull * kLanes)
                       : _mm256_setzero_ps();
  }
  const std::uint32_t *a = g.a, *b = g.b;
  for (std::size_t k = 0; k < g.depth; ++k, a += g.a_k, b += g.b_k) {
    __m512i right[kFull > 0 ? kFull : 1];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kFull; ++v) right[v] = _mm512_loadu_si512(b + v * kLanes);
    __m256i right_half;
    if constexpr (kHalf)
      right_half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + kFull * kLanes));
#pragma GCC unroll 8
    for (std::size_t m = 0; m < kM; ++m) {
      const __m512i left = _mm512_set1_epi32(static_cast<int>(a[m * g.a_row]));
#pragma GCC unroll 8
      for (std::size_t v = 0; v < kFull; ++v)
        sum[m][v] = _mm512_dpbf16_ps(sum[m][v], reinterpret_cast<__m512bh>(left),
                                     reinterpret_cast<__m512bh>(right[v]));
      if constexpr (kHalf)
        half[m] =
            _mm256_dpbf16_ps(half[m], reinterpret_cast<__m256bh>(_mm512_castsi512_si256(left)),
                             reinterpret_cast<__m256bh>(right_half));
    }
  }
#pragma GCC unroll 8
  for (std::size_t m = 0; m < kM; ++m) {
    const auto row = static_cast<std::ptrdiff_t>(m);
    float* out = g.out + row * g.out_row;
    const float* saved = g.saved + (g.saved ? row * g.saved_row : 0);
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kFull; ++v)
      _mm512_mask_storeu_ps(out + v * kLanes, masks[v + 1 == kV],
                            finish(sum[m][v], g.epilogue, saved + v * kLanes, masks[v + 1 == kV]));
    if constexpr (kHalf)
      _mm256_mask_storeu_ps(
          out + kFull * kLanes, static_cast<__mmask8>(mask),
          _mm512_castps512_ps256(
              finish(_mm512_castps256_ps512(half[m]), g.epilogue, saved + kFull * kLanes, mask)));
  }
}

using Run = void (*)(const Block&, std::size_t);

template <std::size_t kM>
constexpr Run kRuns[2][kBlockVectors] = {{run_block<kM, 1, false>, run_block<kM, 2, false>,
                                          run_block<kM, 3, false>, run_block<kM, 4, false>},
                                         {run_block<kM, 1, true>, run_block<kM, 2, true>,
                                          run_block<kM, 3, true>, run_block<kM, 4, true>}};
constexpr const Run (*kBlocks[kBlockRows])[kBlockVectors] = {kRuns<1>, kRuns<2>, kRuns<3>,
                                                             kRuns<4>, kRuns<5>, kRuns<6>};

/// Runs `rows` and `columns` from `block` on, in blocks of nearly equal size.
void run_blocks(const Block& block, std::size_t rows, std::size_t columns) {
  const std::size_t vectors = (columns + kLanes - 1) / kLanes;
  const std::size_t groups = (vectors + kBlockVectors - 1) / kBlockVectors;
  const std::size_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  for (std::size_t i = 0; i < groups; ++i) {
    const std::size_t first = i * vectors / groups, count = (i + 1) * vectors / groups - first;
    const std::size_t last = std::min(kLanes, columns - (first + count - 1) * kLanes);
    const std::size_t column = first * kLanes;
    for (std::size_t j = 0; j < blocks; ++j) {
      const std::size_t row = j * rows / blocks, m = (j + 1) * rows / blocks - row;
      const auto down = static_cast<std::ptrdiff_t>(row);
      Block part = block;
      part.a += row * block.a_row;
      part.b += column;
      if (part.init) part.init += down * block.init_row + static_cast<std::ptrdiff_t>(column);
      if (part.saved) part.saved += down * block.saved_row + static_cast<std::ptrdiff_t>(column);
      part.out += down * block.out_row + static_cast<std::ptrdiff_t>(column);
      kBlocks[m - 1][last <= kLanes / 2][count - 1](part, last);
    }
  }
}

/// Rounds `count` numbers of a row to pairs of neighbours. An odd last number is paired with zero.
void round_row(const float* from, std::size_t count, std::uint32_t* to) {
  for (std::size_t i = 0; i < count; i += 2 * kLanes) {
    const std::size_t left = count - i;
    const __m512 low = _mm512_maskz_loadu_ps(first_lanes(std::min(left, kLanes)), from + i);
    const __m512 high =
        left > kLanes
            ? _mm512_maskz_loadu_ps(first_lanes(std::min(left - kLanes, kLanes)), from + i + kLanes)
            : _mm512_setzero_ps();
    _mm512_mask_storeu_epi32(to + i / 2, first_lanes(std::min((left + 1) / 2, kLanes)),
                             reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low)));
  }
}

/// Rounds two rows to pairs, element by element. A null `odd` means zeros. Numbers past `count`, up
/// to a whole vector, become zero.
void interleave_rows(const float* even, const float* odd, std::size_t count, std::uint32_t* to) {
  for (std::size_t i = 0; i < count; i += kLanes) {
    const __mmask16 lanes = first_lanes(std::min(count - i, kLanes));
    const __m512 low = _mm512_maskz_loadu_ps(lanes, even + i);
    const __m512 high = odd ? _mm512_maskz_loadu_ps(lanes, odd + i) : _mm512_setzero_ps();
    const __m512i rounded = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
    const __m512i low32 = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(rounded));
    const __m512i high32 = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(rounded, 1));
    _mm512_storeu_si512(to + i, _mm512_or_si512(low32, _mm512_slli_epi32(high32, 16)));
  }
}

std::size_t pairs_of(std::size_t depth) { return (depth + 1) / 2; }

struct alignas(64) Buffers {
  std::uint32_t a[kRows * (kPairs + kLanes)];
  std::uint32_t b[kPairs * kColumns];
};

/// The block of g that begins at (row, column), without operands.
Block block_of(const Gemm<float>& g, std::size_t row, std::size_t column) {
  const auto at = [&](const auto* data, std::ptrdiff_t stride) {
    return data ? data + static_cast<std::ptrdiff_t>(row) * stride +
                      static_cast<std::ptrdiff_t>(column)
                : nullptr;
  };
  Block block{};
  block.init = at(g.init, g.init_row);
  block.init_row = g.init_row;
  block.out =
      g.out + static_cast<std::ptrdiff_t>(row) * g.out_row + static_cast<std::ptrdiff_t>(column);
  block.out_row = g.out_row;
  block.saved = at(g.saved, g.saved_row);
  block.saved_row = g.saved_row;
  return block;
}

/// Calls f(begin, end) for pieces of `pairs` pairs of nearly equal size; once if there are no
/// pairs.
template <class F>
void for_pieces(std::size_t pairs, F f) {
  const std::size_t pieces = std::max<std::size_t>((pairs + kPairs - 1) / kPairs, 1);
  for (std::size_t i = 0; i < pieces; ++i) f(i * pairs / pieces, (i + 1) * pairs / pieces);
}

/// Runs a piece. Between pieces the sums stay in the output.
void run_piece(Block& block, const Gemm<float>& g, std::size_t rows, std::size_t columns,
               bool last) {
  block.epilogue = last ? g.epilogue : Epilogue::none;
  run_blocks(block, rows, columns);
  block.init = block.out;
  block.init_row = block.out_row;
}

/// The product for adjacent numbers in rows of a, with b already in pairs.
void gemm_of_rows(const Gemm<float>& g, Buffers& buffers) {
  constexpr std::size_t a_row = kPairs + kLanes;
  std::size_t pairs = 0;
  for (int i = 0; i < g.count; ++i) pairs += pairs_of(g.products[i].depth);
  for (std::size_t row = 0; row < g.rows; row += kRows) {
    const std::size_t rows = std::min(kRows, g.rows - row);
    Block block = block_of(g, row, 0);
    block.a = buffers.a;
    block.a_row = a_row;
    block.a_k = 1;
    for_pieces(pairs, [&](std::size_t begin, std::size_t end) {
      std::size_t first = 0;  // row of b in this product
      for (int i = 0; i < g.count; ++i) {
        const Product<float>& p = g.products[i];
        const std::size_t from = std::max(begin, first),
                          to = std::min(end, first + pairs_of(p.depth));
        if (from < to) {
          const std::size_t k = 2 * (from - first);
          for (std::size_t m = 0; m < rows; ++m)
            round_row(p.a + static_cast<std::ptrdiff_t>(row + m) * p.a_row + k,
                      std::min(p.depth - k, 2 * (to - from)),
                      buffers.a + m * a_row + (from - begin));
        }
        first += pairs_of(p.depth);
      }
      block.b_k = g.products[0].b_pairs_row;
      block.b = g.products[0].b_pairs + begin * block.b_k;
      block.depth = end - begin;
      run_piece(block, g, rows, g.columns, end == pairs);
    });
  }
}

/// The product for adjacent numbers in columns of a and rows of b. It is one product over all
/// repeats. Pairs never span two repeats, so that chunks of repeats give the same bits.
void gemm_of_columns(const Gemm<float>& g, Buffers& buffers) {
  const Product<float>& p = g.products[0];
  const std::size_t pairs = pairs_of(p.depth) * p.repeat;
  /// Row k of repeat r.
  const auto place = [](const float* data, std::ptrdiff_t stride, std::ptrdiff_t repeat,
                        std::size_t k, std::size_t r) {
    return data + static_cast<std::ptrdiff_t>(k) * stride + static_cast<std::ptrdiff_t>(r) * repeat;
  };
  for (std::size_t column = 0; column < g.columns; column += kColumns)
    for (std::size_t row = 0; row < g.rows; row += kRows) {
      const std::size_t rows = std::min(kRows, g.rows - row),
                        columns = std::min(kColumns, g.columns - column);
      Block block = block_of(g, row, column);
      block.a = buffers.a;
      block.a_row = 1;
      block.a_k = kRows;
      block.b = buffers.b;
      block.b_k = kColumns;
      for_pieces(pairs, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          const std::size_t r = i / pairs_of(p.depth), k = 2 * (i % pairs_of(p.depth));
          const bool both = k + 1 < p.depth;
          interleave_rows(place(p.a, p.a_k, p.a_repeat, k, r) + row,
                          both ? place(p.a, p.a_k, p.a_repeat, k + 1, r) + row : nullptr, rows,
                          buffers.a + (i - begin) * kRows);
          interleave_rows(place(p.b, p.b_k, p.b_repeat, k, r) + column,
                          both ? place(p.b, p.b_k, p.b_repeat, k + 1, r) + column : nullptr,
                          columns, buffers.b + (i - begin) * kColumns);
        }
        block.depth = end - begin;
        run_piece(block, g, rows, columns, end == pairs);
      });
    }
}

}  // namespace

void make_pairs(const float* b, std::ptrdiff_t b_k, std::size_t depth, std::size_t columns,
                std::uint32_t* pairs, std::size_t stride) noexcept {
  for (std::size_t k = 0; k < depth; k += 2) {
    const float* even = b + static_cast<std::ptrdiff_t>(k) * b_k;
    interleave_rows(even, k + 1 < depth ? even + b_k : nullptr, columns, pairs + k / 2 * stride);
  }
}

void gemm_bf16(const Gemm<float>& g) noexcept {
  if (g.rows == 0 || g.columns == 0) return;
  Buffers buffers;  // not initialised: only written values are read
  if (g.count == 0 || g.products[0].b_pairs)
    gemm_of_rows(g, buffers);
  else
    gemm_of_columns(g, buffers);
  if (g.epilogue != Epilogue::tanh) return;
  for (std::size_t row = 0; row < g.rows; ++row) {
    float* out = g.out + static_cast<std::ptrdiff_t>(row) * g.out_row;
    table<float>().tanh(out, out, g.columns);
  }
}

}  // namespace unroll::kernels

HWY_POP_ATTRIBUTES

namespace unroll::kernels {

bool bf16_available() {
  if (std::string_view(instruction_set()) != "avx512") return false;
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned avx512_bf16 = 1u << 5;  // CPUID 7.1, EAX
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & avx512_bf16) != 0;
}

}  // namespace unroll::kernels

#else  // another processor, or the library without training

namespace unroll::kernels {

bool bf16_available() { return false; }
void make_pairs(const float*, std::ptrdiff_t, std::size_t, std::size_t, std::uint32_t*,
                std::size_t) noexcept {}
void gemm_bf16(const Gemm<float>&) noexcept {}

}  // namespace unroll::kernels

#endif
