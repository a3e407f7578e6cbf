// Compiles element-wise passes, passes over rows and fingerprints for every instruction set.

#include "core/simd_targets.h"
// Must come before Highway's headers.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rows.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, which includes this file once for each target.
#include <hwy/highway.h>

#include "core/math-inl.h"
#include "kernels/bernoulli-inl.h"
#include "kernels/fingerprint-inl.h"
#include "kernels/rows-inl.h"
#include "kernels/targets-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

/// out[i] = f(in[i]).
template <class T, class F>
HWY_INLINE void map(const T* in, T* out, std::size_t count, F f) {
  const simd::ScalableTag<T> d;
  const simd::CappedTag<T, 1> one;
  const std::size_t lanes = simd::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) simd::StoreU(f(d, simd::LoadU(d, in + i)), d, out + i);
  for (; i < count; ++i) simd::StoreU(f(one, simd::LoadU(one, in + i)), one, out + i);
}

template <class T>
void map_exp(const T* in, T* out, std::size_t count) noexcept {
  map(in, out, count, [](auto d, auto v) HWY_ATTR { return exp(d, v); });
}

template <class T>
void map_tanh(const T* in, T* out, std::size_t count) noexcept {
  map(in, out, count, [](auto d, auto v) HWY_ATTR { return tanh(d, v); });
}

template <class T>
const kernels::RowKernels<T> RowTable<T>::rows = {
    &multiply_rows<T>,           &add_rows<T>,
    &multiply_add_rows<T>,       &keep_zone<T>,
    of_training(&split_zone<T>), of_training(&flush_tiny<T>),
    &normalise_sums<T>,          of_training(&normalise_sums_backward<T>),
};

#define UNROLL_INSTANTIATE(T)                                                         \
  template struct RowTable<T>;                                                        \
  template void map_exp(const T*, T*, std::size_t) noexcept;                          \
  template void map_tanh(const T*, T*, std::size_t) noexcept;                         \
  template void bernoulli(const kernels::Bernoulli&, std::uint32_t, std::uint32_t, T, \
                          T*) noexcept;                                               \
  template std::uint64_t fingerprint(const T*, std::size_t, std::uint64_t) noexcept;
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
