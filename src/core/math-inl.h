// exp, tanh and sigmoid with fixed bits: one source for every instruction set and for single
// numbers.
//
// They use only additions, multiplications, divisions and explicit fused multiply-adds, in a fixed
// order. So every target rounds the same way. The polynomials are those of the Cephes library
// (Moshier 1989), with relative errors of about 2 units in the last place.
#if defined(UNROLL_CORE_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_CORE_MATH_INL_H_
#undef UNROLL_CORE_MATH_INL_H_
#else
#define UNROLL_CORE_MATH_INL_H_
#endif

#include "core/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

/// c[0] x^n + c[1] x^(n-1) + ... + c[n], by Horner's rule in fused multiply-adds.
template <class D, class V, class T, std::size_t kCount>
HWY_INLINE V polynomial(D d, V x, const T (&c)[kCount]) {
  V y = simd::Set(d, c[0]);
  for (std::size_t i = 1; i < kCount; ++i) y = simd::MulAdd(y, x, simd::Set(d, c[i]));
  return y;
}

/// Constants of a type: `magic` is 1.5 * 2^mantissa; adding it rounds to an integer and leaves that
/// integer in the low bits.
template <class T>
struct MathConstants;
template <>
struct MathConstants<float> {
  static constexpr float magic = 12582912.0f, exp_low = -104.0f, exp_high = 89.0f;
  static constexpr float log2e = 1.44269504088896341f, ln2_high = 0.693359375f,
                         ln2_low = -2.12194440e-4f;
  static constexpr int mantissa = 23;
};
template <>
struct MathConstants<double> {
  static constexpr double magic = 6755399441055744.0, exp_low = -746.0, exp_high = 710.0;
  static constexpr double log2e = 1.4426950408889634073599, ln2_high = 6.93145751953125e-1,
                          ln2_low = 1.42860682030941723212e-6;
  static constexpr int mantissa = 52;
};

/// 2^n for whole numbers n within the exponent's range.
template <class D, class V>
HWY_INLINE V power_of_two(D d, V n) {
  using C = MathConstants<simd::TFromD<D>>;
  const simd::RebindToUnsigned<D> bits;
  const auto shifted =
      simd::ShiftLeft<C::mantissa>(simd::BitCast(bits, simd::Add(n, simd::Set(d, C::magic))));
  const auto one = simd::BitCast(bits, simd::Set(d, simd::TFromD<D>{1}));
  return simd::BitCast(d, simd::Add(shifted, one));
}

/// e^r - 1 for |r| <= ln(2)/2.
template <class D, class V>
HWY_INLINE V expm1_reduced(D d, V r) {
  static constexpr float p[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                                4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
  return simd::MulAdd(polynomial(d, r, p), simd::Mul(r, r), r);
}

/// e^r for |r| <= ln(2)/2.
template <class D, class V>
HWY_INLINE V exp_reduced(D d, V r, float) {
  return simd::Add(expm1_reduced(d, r), simd::Set(d, 1.0f));
}
template <class D, class V>
HWY_INLINE V exp_reduced(D d, V r, double) {
  static constexpr double p[] = {1.26177193074810590878e-4, 3.02994407707441961300e-2,
                                 9.99999999999999999910e-1};
  static constexpr double q[] = {3.00198505138664455042e-6, 2.52448340349684104192e-3,
                                 2.27265548208155028766e-1, 2.00000000000000000009e0};
  const V rr = simd::Mul(r, r);
  const V top = simd::Mul(r, polynomial(d, rr, p));
  const V ratio = simd::Div(top, simd::Sub(polynomial(d, rr, q), top));
  return simd::MulAdd(simd::Set(d, 2.0), ratio, simd::Set(d, 1.0));
}

/// x limited to a range; NaN for NaN. Uses comparisons, because min and max treat NaN differently
/// on different machines.
template <class D, class V, class T = simd::TFromD<D>>
HWY_INLINE V clamp(D d, V x, T low, T high) {
  x = simd::IfThenElse(simd::Lt(x, simd::Set(d, low)), simd::Set(d, low), x);
  return simd::IfThenElse(simd::Lt(simd::Set(d, high), x), simd::Set(d, high), x);
}

/// x = n ln(2) + r, where n is a whole number and |r| <= ln(2)/2.
template <class V>
struct Reduced {
  V n, r;
};
template <class D, class V>
HWY_INLINE Reduced<V> reduce(D d, V x) {
  using C = MathConstants<simd::TFromD<D>>;
  const V magic = simd::Set(d, C::magic);
  const V n = simd::Sub(simd::MulAdd(x, simd::Set(d, C::log2e), magic), magic);
  const V r = simd::NegMulAdd(n, simd::Set(d, C::ln2_high), x);
  return {n, simd::NegMulAdd(n, simd::Set(d, C::ln2_low), r)};
}

/// e^x; 0 and infinity beyond the type's range, NaN for NaN.
template <class D, class V>
HWY_INLINE V exp(D d, V x) {
  using T = simd::TFromD<D>;
  using C = MathConstants<T>;
  const auto [n, r] = reduce(d, clamp(d, x, C::exp_low, C::exp_high));
  const V magic = simd::Set(d, C::magic);
  // 2^n in two factors, so that results near the ends of the range round only once, at the end.
  const V half = simd::Sub(simd::MulAdd(n, simd::Set(d, T(0.5)), magic), magic);
  const V y = simd::Mul(exp_reduced(d, r, T{}), power_of_two(d, half));
  return simd::Mul(y, power_of_two(d, simd::Sub(n, half)));
}

/// tanh(x) for |x| < 0.625, given |x|.
template <class D, class V>
HWY_INLINE V tanh_small(D d, V x) {
  static constexpr double p[] = {-9.64399179425052238628e-1, -9.92877231001918586564e1,
                                 -1.61468768441708447952e3};
  static constexpr double q[] = {1.0, 1.12811678491632931402e2, 2.23548839060100448583e3,
                                 4.84406305325125486048e3};
  const V z = simd::Mul(x, x);
  const V ratio = simd::Div(polynomial(d, z, p), polynomial(d, z, q));
  return simd::MulAdd(simd::Mul(ratio, z), x, x);
}

/// f32, where speed matters: (e^2x - 1) / (e^2x + 1), computed from e^2x - 1, which is accurate
/// near 0.
template <class D, class V>
HWY_INLINE V tanh(D d, V x, float) {
  // From this x on, the quotient rounds to 1.
  constexpr float kOne = 9.1f;
  const V two = simd::Set(d, 2.0f);
  const auto [n, r] = reduce(d, simd::Mul(two, clamp(d, x, -kOne, kOne)));
  const V power = power_of_two(d, n);
  const V less_one = simd::MulAdd(power, expm1_reduced(d, r), simd::Sub(power, simd::Set(d, 1.0f)));
  return simd::Div(less_one, simd::Add(less_one, two));
}
template <class D, class V>
HWY_INLINE V tanh(D d, V x, double) {
  const V a = simd::Abs(x);
  const V one = simd::Set(d, 1.0), two = simd::Set(d, 2.0);
  const V big = simd::Sub(one, simd::Div(two, simd::Add(exp(d, simd::Mul(two, a)), one)));
  return simd::IfThenElse(simd::Lt(a, simd::Set(d, 0.625)), tanh_small(d, a), big);
}

/// tanh(x), with the sign of x; NaN for NaN.
template <class D, class V>
HWY_INLINE V tanh(D d, V x) {
  return simd::CopySign(tanh(d, x, simd::TFromD<D>{}), x);
}

/// 1 / (1 + e^-x); NaN for NaN. In f32 at least 1e-38, so that e^-x needs only one factor and no
/// step leaves the type's range.
template <class D, class V>
HWY_INLINE V sigmoid(D d, V x, float) {
  const auto [n, r] = reduce(d, clamp(d, simd::Sub(simd::Zero(d), x), -87.0f, 87.0f));
  const V one = simd::Set(d, 1.0f);
  return simd::Div(one, simd::MulAdd(exp_reduced(d, r, 0.0f), power_of_two(d, n), one));
}
template <class D, class V>
HWY_INLINE V sigmoid(D d, V x, double) {
  const V one = simd::Set(d, 1.0);
  return simd::Div(one, simd::Add(one, exp(d, simd::Sub(simd::Zero(d), x))));
}
template <class D, class V>
HWY_INLINE V sigmoid(D d, V x) {
  return sigmoid(d, x, simd::TFromD<D>{});
}

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
