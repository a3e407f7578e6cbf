// The vector operations of per-target code: Highway's, or one lane of plain C++.
//
// Highway's baseline targets do not fuse MulAdd, which would change the bits (docs/numerics.md). So
// on these `simd` is the small substitute below: the same operations on one number, with std::fma.
// Kernels are written once against `simd` and compiled for every target.
#if defined(UNROLL_CORE_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_CORE_SIMD_INL_H_
#undef UNROLL_CORE_SIMD_INL_H_
#else
#define UNROLL_CORE_SIMD_INL_H_
#endif

#include <hwy/highway.h>

// Put it before a loop over an array of vectors. It unrolls the loop early, so that the vectors
// stay in registers. Without it g++ 12 keeps the array in memory.
#undef UNROLL_UNROLLED
#define UNROLL_UNROLLED _Pragma("GCC unroll 32")

#include <bit>
#include <cmath>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
#undef UNROLL_ONE_LANE
#define UNROLL_ONE_LANE 1

namespace simd {

template <class T>
struct Tag {
  using Lane = T;
};
template <class T>
struct Vec {
  T raw;
};
template <class T>
using ScalableTag = Tag<T>;
template <class T, std::size_t kLimit>
using CappedTag = Tag<T>;
template <class D>
using TFromD = typename D::Lane;
template <class D>
using Bits = Tag<std::conditional_t<sizeof(TFromD<D>) == 4, std::uint32_t, std::uint64_t>>;
template <class D>
using VFromD = Vec<TFromD<D>>;
template <class D>
using RebindToUnsigned = Bits<D>;

template <class D>
constexpr std::size_t Lanes(D) {
  return 1;
}
template <class D>
constexpr std::size_t MaxLanes(D) {
  return 1;
}
template <class D>
VFromD<D> Set(D, TFromD<D> x) {
  return {x};
}
template <class D>
VFromD<D> Zero(D) {
  return {0};
}
template <class D>
VFromD<D> LoadU(D, const TFromD<D>* p) {
  return {*p};
}
template <class D>
void StoreU(VFromD<D> v, D, TFromD<D>* p) {
  *p = v.raw;
}
template <class D, class T>
Vec<T> LowerHalf(D, Vec<T> v) {
  return v;  // never called: one lane has no half
}
template <class T>
Vec<T> Add(Vec<T> a, Vec<T> b) {
  return {static_cast<T>(a.raw + b.raw)};
}
template <class T>
Vec<T> Sub(Vec<T> a, Vec<T> b) {
  return {static_cast<T>(a.raw - b.raw)};
}
template <class T>
Vec<T> Mul(Vec<T> a, Vec<T> b) {
  return {a.raw * b.raw};
}
template <class T>
Vec<T> Div(Vec<T> a, Vec<T> b) {
  return {a.raw / b.raw};
}
template <class T>
Vec<T> MulAdd(Vec<T> a, Vec<T> b, Vec<T> c) {
  return {std::fma(a.raw, b.raw, c.raw)};
}
template <class T>
Vec<T> NegMulAdd(Vec<T> a, Vec<T> b, Vec<T> c) {
  return {std::fma(-a.raw, b.raw, c.raw)};
}
template <class T>
bool Lt(Vec<T> a, Vec<T> b) {
  return a.raw < b.raw;
}
template <class T>
bool Le(Vec<T> a, Vec<T> b) {
  return a.raw <= b.raw;
}
template <class T>
Vec<T> IfThenElse(bool condition, Vec<T> yes, Vec<T> no) {
  return condition ? yes : no;
}
template <class T>
Vec<T> Abs(Vec<T> a) {
  return {std::fabs(a.raw)};
}
template <class T>
Vec<T> CopySign(Vec<T> magnitude, Vec<T> sign) {
  return {std::copysign(magnitude.raw, sign.raw)};
}
template <class D, class T>
VFromD<D> BitCast(D, Vec<T> v) {
  return {std::bit_cast<TFromD<D>>(v.raw)};
}
template <int kBits, class T>
Vec<T> ShiftLeft(Vec<T> v) {
  return {static_cast<T>(v.raw << kBits)};
}

}  // namespace simd
#else
#undef UNROLL_ONE_LANE
#define UNROLL_ONE_LANE 0
namespace simd = hwy::HWY_NAMESPACE;
#endif

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
