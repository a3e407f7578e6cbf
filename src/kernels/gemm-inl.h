// The one matrix product: blocks of rows x vectors held in registers over the whole depth.
#if defined(UNROLL_KERNELS_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_GEMM_INL_H_
#undef UNROLL_KERNELS_GEMM_INL_H_
#else
#define UNROLL_KERNELS_GEMM_INL_H_
#endif

#include "core/math-inl.h"
#include "kernels/table.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

using kernels::Epilogue;
using kernels::Gemm;
using kernels::Product;

// The largest block that leaves registers for the operands: 32 vector registers hold 6x4
// accumulators, 16 hold 6x2.
inline constexpr std::size_t kBlockRows = 6;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
inline constexpr std::size_t kBlockVectors = 4;
#else
inline constexpr std::size_t kBlockVectors = 2;
#endif

template <class D, class V, class T = simd::TFromD<D>>
HWY_INLINE V finish(D d, V sum, Epilogue epilogue, const T* saved) {
  switch (epilogue) {
    case Epilogue::relu:
      return simd::IfThenElse(simd::Lt(sum, simd::Zero(d)), simd::Zero(d), sum);
    case Epilogue::relu_derivative:
      return simd::IfThenElse(simd::Le(simd::LoadU(d, saved), simd::Zero(d)), simd::Zero(d), sum);
    case Epilogue::tanh_derivative: {
      const V y = simd::LoadU(d, saved);
      return simd::Mul(simd::NegMulAdd(y, y, simd::Set(d, T{1})), sum);
    }
    case Epilogue::tanh:
      return tanh(d, sum);
    case Epilogue::none:
      break;
  }
  return sum;
}

/// kRows x (kVectors * lanes) outputs from (row, column) on.
template <std::size_t kRows, std::size_t kVectors, class D, class T = simd::TFromD<D>>
HWY_NOINLINE void gemm_block(D d, const Gemm<T>& g, std::size_t row, std::size_t column) {
  using V = decltype(simd::Zero(d));
  const std::size_t lanes = simd::Lanes(d);
  V sum[kRows][kVectors];
  for (std::size_t m = 0; m < kRows; ++m)
    for (std::size_t v = 0; v < kVectors; ++v)
      sum[m][v] = g.init ? simd::LoadU(d, g.init + (row + m) * g.init_row + column + v * lanes)
                         : simd::Zero(d);
  for (int i = 0; i < g.count; ++i) {
    const Product<T>& p = g.products[i];
    const std::ptrdiff_t a_row = p.a_row, a_k = p.a_k, b_k = p.b_k;
    for (std::size_t r = 0; r < p.repeat; ++r) {
      const T* a = p.a + static_cast<std::ptrdiff_t>(row) * a_row +
                   static_cast<std::ptrdiff_t>(r) * p.a_repeat;
      const T* b = p.b + column + static_cast<std::ptrdiff_t>(r) * p.b_repeat;
      for (std::size_t k = 0; k < p.depth; ++k, a += a_k, b += b_k) {
        V b_vectors[kVectors];
        for (std::size_t v = 0; v < kVectors; ++v) b_vectors[v] = simd::LoadU(d, b + v * lanes);
        for (std::size_t m = 0; m < kRows; ++m) {
          const V a_value = simd::Set(d, a[static_cast<std::ptrdiff_t>(m) * a_row]);
          for (std::size_t v = 0; v < kVectors; ++v)
            sum[m][v] = simd::MulAdd(a_value, b_vectors[v], sum[m][v]);
        }
      }
    }
  }
  for (std::size_t m = 0; m < kRows; ++m)
    for (std::size_t v = 0; v < kVectors; ++v) {
      const std::size_t at = column + v * lanes;
      const T* saved = g.saved ? g.saved + (row + m) * g.saved_row + at : nullptr;
      simd::StoreU(finish(d, sum[m][v], g.epilogue, saved), d, g.out + (row + m) * g.out_row + at);
    }
}

/// All rows of kVectors vectors of columns, in blocks as even as they come.
template <std::size_t kVectors, class D, class T = simd::TFromD<D>>
void gemm_columns(D d, const Gemm<T>& g, std::size_t column) {
  const std::size_t blocks = (g.rows + kBlockRows - 1) / kBlockRows;
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::size_t row = i * g.rows / blocks;
    switch ((i + 1) * g.rows / blocks - row) {
      case 1:
        gemm_block<1, kVectors>(d, g, row, column);
        break;
      case 2:
        gemm_block<2, kVectors>(d, g, row, column);
        break;
      case 3:
        gemm_block<3, kVectors>(d, g, row, column);
        break;
      case 4:
        gemm_block<4, kVectors>(d, g, row, column);
        break;
      case 5:
        gemm_block<5, kVectors>(d, g, row, column);
        break;
      case 6:
        gemm_block<6, kVectors>(d, g, row, column);
        break;
    }
  }
}

/// The columns that do not fill a vector: vectors of half the lanes, a quarter, down to one.
template <std::size_t kLanes, class T>
void gemm_last_columns(const Gemm<T>& g, std::size_t column) {
  if constexpr (kLanes > 0) {
    if (g.columns - column >= kLanes) {
      gemm_columns<1>(simd::CappedTag<T, kLanes>(), g, column);
      column += kLanes;
    }
    gemm_last_columns<kLanes / 2>(g, column);
  }
}

template <class T>
void gemm(const Gemm<T>& g) noexcept {
  const simd::ScalableTag<T> d;
  constexpr std::size_t lanes = simd::MaxLanes(simd::ScalableTag<T>());
  const std::size_t vectors = g.columns / lanes;
  const std::size_t groups = (vectors + kBlockVectors - 1) / kBlockVectors;
  for (std::size_t i = 0; i < groups; ++i) {
    const std::size_t first = i * vectors / groups;
    switch ((i + 1) * vectors / groups - first) {
      case 1:
        gemm_columns<1>(d, g, first * lanes);
        break;
      case 2:
        gemm_columns<2>(d, g, first * lanes);
        break;
      case 3:
        if constexpr (kBlockVectors >= 3) gemm_columns<3>(d, g, first * lanes);
        break;
      case 4:
        if constexpr (kBlockVectors >= 4) gemm_columns<4>(d, g, first * lanes);
        break;
    }
  }
  gemm_last_columns<lanes / 2>(g, vectors * lanes);
}

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
