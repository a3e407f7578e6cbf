// Loops over a row of numbers, and sums of a row with fixed bits.
#if defined(UNROLL_KERNELS_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_VECTORS_INL_H_
#undef UNROLL_KERNELS_VECTORS_INL_H_
#else
#define UNROLL_KERNELS_VECTORS_INL_H_
#endif

#include <array>
#include <cstddef>

#include "core/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

/// Calls f(d, j) for the elements j .. j + lanes - 1: whole vectors while they fit, then smaller
/// and smaller ones. An element has the same result in any of them.
template <class D, class F>
HWY_INLINE void for_vectors(D d, std::size_t begin, std::size_t end, F f) {
  constexpr std::size_t lanes = simd::MaxLanes(D());
  for (; begin + lanes <= end; begin += lanes) f(d, begin);
  if constexpr (lanes > 1)
    if (begin < end) for_vectors(simd::CappedTag<simd::TFromD<D>, lanes / 2>(), begin, end, f);
}

/// The sums over j < count of the kCount numbers f(d, j). Each has 32 running sums: element j goes
/// to sum j % 32, and a fixed tree adds the 32. The bits are the same on every instruction set.
template <class T, std::size_t kCount, class F>
HWY_INLINE std::array<T, kCount> row_sums(std::size_t count, F f) {
  constexpr std::size_t kSums = 32;
  const simd::CappedTag<T, 16> d;
  constexpr std::size_t lanes = simd::MaxLanes(decltype(d)()), vectors = kSums / lanes;
  decltype(simd::Zero(d)) sum[kCount][vectors];
  UNROLL_UNROLLED
  for (std::size_t i = 0; i < kCount; ++i) UNROLL_UNROLLED
  for (std::size_t v = 0; v < vectors; ++v) sum[i][v] = simd::Zero(d);
  const std::size_t whole = count / kSums * kSums;
  for (std::size_t j = 0; j < whole; j += kSums) {
    UNROLL_UNROLLED
    for (std::size_t v = 0; v < vectors; ++v) {
      const auto values = f(d, j + v * lanes);
      UNROLL_UNROLLED
      for (std::size_t i = 0; i < kCount; ++i) sum[i][v] = simd::Add(sum[i][v], values[i]);
    }
  }
  alignas(64) T sums[kCount][kSums];
  UNROLL_UNROLLED
  for (std::size_t i = 0; i < kCount; ++i) UNROLL_UNROLLED
  for (std::size_t v = 0; v < vectors; ++v) simd::StoreU(sum[i][v], d, sums[i] + v * lanes);
  for_vectors(d, whole, count, [&](auto tag, std::size_t j) HWY_ATTR {
    const auto values = f(tag, j);
    // without this g++ 12 for aarch64 never finishes
    UNROLL_UNROLLED
    for (std::size_t i = 0; i < kCount; ++i) {
      T* const to = sums[i] + (j - whole);
      simd::StoreU(simd::Add(simd::LoadU(tag, to), values[i]), tag, to);
    }
  });
  for (std::size_t half = kSums / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < kCount; ++i)
      for_vectors(d, 0, half, [&](auto tag, std::size_t k) HWY_ATTR {
        T* const to = sums[i] + k;
        simd::StoreU(simd::Add(simd::LoadU(tag, to), simd::LoadU(tag, to + half)), tag, to);
      });
  std::array<T, kCount> result;
  for (std::size_t i = 0; i < kCount; ++i) result[i] = sums[i][0];
  return result;
}

/// p[j ...], or zeros if p is null.
template <class D, class T = simd::TFromD<D>>
HWY_INLINE auto load_or_zero(D d, const T* p, std::size_t j) {
  return p ? simd::LoadU(d, p + j) : simd::Zero(d);
}

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
