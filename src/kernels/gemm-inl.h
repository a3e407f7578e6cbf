// The matrix product. Blocks of rows x vectors stay in registers over the whole depth.
#if defined(UNROLL_KERNELS_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_GEMM_INL_H_
#undef UNROLL_KERNELS_GEMM_INL_H_
#else
#define UNROLL_KERNELS_GEMM_INL_H_
#endif

#include <algorithm>
#include <span>
#include <utility>

#include "core/math-inl.h"
#include "kernels/table.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

using kernels::Columns;
using kernels::Epilogue;
using kernels::Gemm;
using kernels::Product;

// The largest block that leaves registers for the operands: 6x4 accumulators with 32 vector
// registers, 4x3 with 16. A single row is 8 vectors wide, so that a weight that is used once is
// read in sequence.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
inline constexpr std::size_t kBlockRows = 6, kBlockVectors = 4;
#else
inline constexpr std::size_t kBlockRows = 4, kBlockVectors = 3;
#endif
inline constexpr std::size_t kRowVectors = 8;
// For fewer columns than a vector has lanes. Inference spends little time here, so its library
// takes 3 rows, which is less code.
inline constexpr std::size_t kNarrowBlockRows = kernels::kTraining ? kBlockRows : 3;
// Bytes of b that stay in the first-level cache during a pass over the rows of a.
inline constexpr std::size_t kPanelBytes = 28 * 1024;

/// Epilogues of a few instructions on a sum in its register.
template <class D, class V, class T = simd::TFromD<D>>
HWY_INLINE V rectify(D d, V sum) {
  return simd::IfThenElse(simd::Lt(sum, simd::Zero(d)), simd::Zero(d), sum);
}
template <class D, class V, class T = simd::TFromD<D>>
HWY_INLINE V rectify_derivative(D d, V sum, const T* saved) {
  return simd::IfThenElse(simd::Le(simd::LoadU(d, saved), simd::Zero(d)), simd::Zero(d), sum);
}
template <class D, class V, class T = simd::TFromD<D>>
HWY_INLINE V tanh_derivative(D d, V sum, const T* saved) {
  const V y = simd::LoadU(d, saved);
  return simd::Mul(simd::NegMulAdd(y, y, simd::Set(d, T{1})), sum);
}

/// values = tanh(values); count is a multiple of the lanes.
template <class D, class T = simd::TFromD<D>>
HWY_NOINLINE void tanh_in_place(D d, T* values, std::size_t count) {
  for (std::size_t i = 0; i < count; i += simd::MaxLanes(d))
    simd::StoreU(tanh(d, simd::LoadU(d, values + i)), d, values + i);
}

// The columns of a block: vectors side by side from `begin` on. The last vector, perhaps a half
// one, ends at `end` and so may overlap the vector before. Columns in both are computed twice, with
// the same result. So the last columns need no kernel of their own.

/// Computes kRows x (kVectors vectors, with kHalf half a vector more) outputs from `row` on. Also
/// fetches a quarter of the next piece of b: four blocks fetch all of it.
template <std::size_t kRows, std::size_t kVectors, bool kHalf, class D, class T = simd::TFromD<D>>
HWY_NOINLINE void gemm_block(D d, const Gemm<T>& g, std::size_t row, Columns columns) {
  constexpr std::size_t lanes = simd::MaxLanes(D());
  const simd::CappedTag<T, (lanes > 1 ? lanes / 2 : 1)> half;
  using V = decltype(simd::Zero(d));
  using H = decltype(simd::Zero(half));
  // Offsets of the vectors from the first one. All but the last are constants.
  const std::size_t last = columns.end - columns.begin - (kHalf ? lanes / 2 : lanes);
  const auto at = [last](std::size_t v)
                      HWY_ATTR { return kHalf || v + 1 < kVectors ? v * lanes : last; };

  V sum[kRows][kVectors];
  H half_sum[kRows];
  UNROLL_UNROLLED
  for (std::size_t m = 0; m < kRows; ++m) {
    const T* init = g.init + (g.init ? (row + m) * g.init_row + columns.begin : 0);
    UNROLL_UNROLLED
    for (std::size_t v = 0; v < kVectors; ++v)
      sum[m][v] = g.init ? simd::LoadU(d, init + at(v)) : simd::Zero(d);
    if constexpr (kHalf) half_sum[m] = g.init ? simd::LoadU(half, init + last) : simd::Zero(half);
  }
  [[maybe_unused]] const std::ptrdiff_t ahead =
      g.ahead + static_cast<std::ptrdiff_t>(row / kBlockRows % 4 * lanes);
  for (int i = 0; i < g.count; ++i) {
    const Product<T>& p = g.products[i];
    const std::ptrdiff_t a_row = p.a_row, a_k = p.a_k, b_k = p.b_k;
    for (std::size_t r = 0; r < p.repeat; ++r) {
      const T* a = p.a + static_cast<std::ptrdiff_t>(row) * a_row +
                   static_cast<std::ptrdiff_t>(r) * p.a_repeat;
      const T* b = p.b + columns.begin + static_cast<std::ptrdiff_t>(r) * p.b_repeat;
      for (std::size_t k = 0; k < p.depth; ++k, a += a_k, b += b_k) {
        V b_vectors[kVectors];
        H b_half;
        if constexpr (kRows >= kBlockRows - 1) __builtin_prefetch(b + ahead, 0, 2);
        UNROLL_UNROLLED
        for (std::size_t v = 0; v < kVectors; ++v) b_vectors[v] = simd::LoadU(d, b + at(v));
        if constexpr (kHalf) b_half = simd::LoadU(half, b + last);
        UNROLL_UNROLLED
        for (std::size_t m = 0; m < kRows; ++m) {
          const V a_value = simd::Set(d, a[static_cast<std::ptrdiff_t>(m) * a_row]);
          UNROLL_UNROLLED
          for (std::size_t v = 0; v < kVectors; ++v)
            sum[m][v] = simd::MulAdd(a_value, b_vectors[v], sum[m][v]);
          if constexpr (kHalf)
            half_sum[m] = simd::MulAdd(simd::LowerHalf(half, a_value), b_half, half_sum[m]);
        }
      }
    }
  }
  // Calls f(d, sum, at, m) for each sum. Written so that the sums stay in registers.
  const auto each = [&](auto f) HWY_ATTR {
    UNROLL_UNROLLED
    for (std::size_t m = 0; m < kRows; ++m) {
      UNROLL_UNROLLED
      for (std::size_t v = 0; v < kVectors; ++v)
        sum[m][v] = f(d, sum[m][v], columns.begin + at(v), m);
      if constexpr (kHalf) half_sum[m] = f(half, half_sum[m], columns.begin + last, m);
    }
  };
  [[maybe_unused]] const auto saved = [&](std::size_t m, std::size_t column) {
    return g.saved + (row + m) * g.saved_row + column;
  };
  switch (g.epilogue) {
    case Epilogue::none:
      break;
    case Epilogue::relu:
      each([](auto tag, auto s, std::size_t, std::size_t) HWY_ATTR { return rectify(tag, s); });
      break;
    case Epilogue::relu_derivative:
      if constexpr (kernels::kTraining)
        each([&](auto tag, auto s, std::size_t column, std::size_t m)
                 HWY_ATTR { return rectify_derivative(tag, s, saved(m, column)); });
      break;
    case Epilogue::tanh_derivative:
      if constexpr (kernels::kTraining)
        each([&](auto tag, auto s, std::size_t column, std::size_t m)
                 HWY_ATTR { return tanh_derivative(tag, s, saved(m, column)); });
      break;
    case Epilogue::add:
      if constexpr (kernels::kTraining)
        for (std::size_t i = 0; i < g.saved_count; ++i)
          each([&](auto tag, auto s, std::size_t column, std::size_t m) HWY_ATTR {
            return simd::Add(simd::LoadU(tag, saved(m, column) + i * g.saved_next), s);
          });
      break;
    case Epilogue::tanh: {
      // Through memory: a tanh for each sum would add much code to every block.
      constexpr std::size_t sums = kRows * (kVectors * lanes + (kHalf ? lanes / 2 : 0));
      alignas(64) T values[(sums + lanes - 1) / lanes * lanes];
      simd::StoreU(simd::Zero(d), d, values + (sums - 1) / lanes * lanes);
      T* place = values;
      each([&](auto tag, auto s, std::size_t, std::size_t) HWY_ATTR {
        simd::StoreU(s, tag, place);
        place += simd::MaxLanes(tag);
        return s;
      });
      tanh_in_place(d, values, std::size(values));
      place = values;
      each([&](auto tag, auto s, std::size_t, std::size_t) HWY_ATTR {
        s = simd::LoadU(tag, place);
        place += simd::MaxLanes(tag);
        return s;
      });
      break;
    }
  }
  each([&](auto tag, auto s, std::size_t column, std::size_t m) HWY_ATTR {
    simd::StoreU(s, tag, g.out + (row + m) * g.out_row + column);
    return s;
  });
}

/// The blocks of one width, by number of rows, from 1 on.
template <class D, class T = simd::TFromD<D>>
using Blocks = std::span<void (*const)(D, const Gemm<T>&, std::size_t row, Columns)>;

template <std::size_t kVectors, bool kHalf, class D, std::size_t... kIndex>
Blocks<D> blocks_of(std::index_sequence<kIndex...>) {
  using T = simd::TFromD<D>;
  static constexpr void (*all[])(D, const Gemm<T>&, std::size_t,
                                 Columns) = {&gemm_block<kIndex + 1, kVectors, kHalf, D>...};
  return all;
}

/// Runs all rows of some columns, in blocks of nearly equal size.
template <class D, class T = simd::TFromD<D>>
void gemm_columns(D d, const Gemm<T>& g, Columns columns, Blocks<D> blocks) {
  const std::size_t count = (g.rows + blocks.size() - 1) / blocks.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t row = i * g.rows / count;
    blocks[(i + 1) * g.rows / count - row - 1](d, g, row, columns);
  }
}

/// Runs the columns of one group over the depth, in pieces whose panel of b stays in the cache.
/// Between pieces the sums stay in `out`.
template <class D, class T = simd::TFromD<D>>
void gemm_panel(D d, const Gemm<T>& g, Columns columns, Blocks<D> blocks) {
  const std::size_t limit = kPanelBytes / ((columns.end - columns.begin) * sizeof(T));
  std::size_t depth = 0;
  for (int i = 0; i < g.count; ++i) depth += g.products[i].repeat * g.products[i].depth;
  if (depth <= limit + limit / 4 || g.rows <= blocks.size())
    return gemm_columns(d, g, columns, blocks);
  Gemm<T> piece = g;
  piece.count = 1;
  piece.epilogue = Epilogue::none;
  const auto run = [&](const Product<T>& p) {
    depth -= p.repeat * p.depth;
    piece.products[0] = p;
    piece.ahead = p.repeat > 1 ? static_cast<std::ptrdiff_t>(p.repeat) * p.b_repeat
                               : static_cast<std::ptrdiff_t>(p.depth) * p.b_k;
    if (depth == 0) piece.epilogue = g.epilogue;
    gemm_columns(d, piece, columns, blocks);
    piece.init = g.out;
    piece.init_row = g.out_row;
  };
  for (int i = 0; i < g.count; ++i) {
    Product<T> rest = g.products[i];
    if (rest.depth == 0) continue;
    if (rest.depth <= limit) {
      while (rest.repeat > 0) {
        Product<T> part = rest;
        part.repeat = std::min(rest.repeat, limit / rest.depth);
        run(part);
        rest.repeat -= part.repeat;
        rest.a += static_cast<std::ptrdiff_t>(part.repeat) * rest.a_repeat;
        rest.b += static_cast<std::ptrdiff_t>(part.repeat) * rest.b_repeat;
      }
      continue;
    }
    const std::size_t parts = (rest.depth + limit - 1) / limit;
    for (std::size_t r = 0; r < rest.repeat; ++r)
      for (std::size_t j = 0; j < parts; ++j) {
        const std::size_t begin = j * rest.depth / parts;
        Product<T> part = rest;
        part.repeat = 1;
        part.depth = (j + 1) * rest.depth / parts - begin;
        part.a += static_cast<std::ptrdiff_t>(r) * rest.a_repeat +
                  static_cast<std::ptrdiff_t>(begin) * rest.a_k;
        part.b += static_cast<std::ptrdiff_t>(r) * rest.b_repeat +
                  static_cast<std::ptrdiff_t>(begin) * rest.b_k;
        run(part);
      }
  }
}

/// Runs one group of vectors; the last may be a half one. Overlapping vectors are in the same
/// group, so that sums that start from the output are read before either vector is written.
template <std::size_t kVectors, class D, class T = simd::TFromD<D>>
void gemm_group(D d, const Gemm<T>& g, Columns columns, bool half) {
  constexpr bool widest = simd::MaxLanes(D()) == simd::MaxLanes(simd::ScalableTag<T>());
  constexpr std::make_index_sequence<widest ? kBlockRows : kNarrowBlockRows> rows;
  if constexpr (kVectors > 1 && simd::MaxLanes(D()) > 1)
    if (half) return gemm_panel(d, g, columns, blocks_of<kVectors - 1, true, D>(rows));
  gemm_panel(d, g, columns, blocks_of<kVectors, false, D>(rows));
}

/// gemm_group for a single row.
template <std::size_t kVectors, class D, class T = simd::TFromD<D>>
void gemm_row(D d, const Gemm<T>& g, Columns columns, std::size_t vectors, bool half) {
  if constexpr (kVectors > 1)
    if (vectors < kVectors) return gemm_row<kVectors - 1>(d, g, columns, vectors, half);
  if constexpr (kVectors > 1 && simd::MaxLanes(D()) > 1)
    if (half) return gemm_block<1, kVectors - 1, true>(d, g, 0, columns);
  gemm_block<1, kVectors, false>(d, g, 0, columns);
}

template <class D, class T = simd::TFromD<D>>
void gemm_all(D d, const Gemm<T>& g) {
  constexpr std::size_t lanes = simd::MaxLanes(D());
  if constexpr (lanes > 1)
    if (g.columns < lanes) return gemm_all(simd::CappedTag<T, lanes / 2>(), g);
  constexpr bool widest = lanes == simd::MaxLanes(simd::ScalableTag<T>());
  const std::size_t rest = g.columns % lanes;
  const bool half = rest > 0 && rest <= lanes / 2;
  const std::size_t vectors = (g.columns + lanes - 1) / lanes;
  const std::size_t most = g.rows == 1 ? kRowVectors : kBlockVectors;
  const std::size_t groups = (vectors + most - 1) / most;
  for (std::size_t i = 0; i < groups; ++i) {
    const std::size_t first = i * vectors / groups, last = (i + 1) * vectors / groups;
    const Columns columns{first * lanes, std::min(last * lanes, g.columns)};
    const bool ends_half = half && last == vectors;
    if constexpr (widest)
      if (g.rows == 1) {
        gemm_row<kRowVectors>(d, g, columns, last - first, ends_half);
        continue;
      }
    switch (last - first) {
      case 1:
        gemm_group<1>(d, g, columns, ends_half);
        break;
      case 2:
        gemm_group<2>(d, g, columns, ends_half);
        break;
      case 3:
        if constexpr (widest) gemm_group<3>(d, g, columns, ends_half);
        break;
      case 4:
        if constexpr (widest && kBlockVectors >= 4) gemm_group<4>(d, g, columns, ends_half);
        break;
    }
  }
}

template <class T>
void gemm(const Gemm<T>& g) noexcept {
  gemm_all(simd::ScalableTag<T>(), g);
}

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
