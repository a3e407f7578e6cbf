// Single numbers run the code of the kernels, on one lane.
#define HWY_COMPILE_ONLY_SCALAR
#include "core/numerics.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/math-inl.h"

namespace unroll::numerics {
namespace {

using HWY_NAMESPACE::polynomial;
namespace simd = HWY_NAMESPACE::simd;
using Tag = simd::ScalableTag<double>;

template <std::size_t kCount>
double evaluate(double x, const double (&c)[kCount]) {
  return polynomial(Tag{}, simd::Set(Tag{}, x), c).raw;
}

/// z = x - j pi/4 for an even j, with |z| <= pi/4. octant is j modulo 8.
struct Reduced {
  double z;
  int octant;
};
Reduced reduce_angle(double x) {
  constexpr double four_over_pi = 1.27323954473516268615;
  constexpr double part1 = 7.85398125648498535156e-1, part2 = 3.77489470793079817668e-8,
                   part3 = 2.69515142907905952645e-15;
  std::int64_t j = static_cast<std::int64_t>(x * four_over_pi);
  j += j & 1;
  const double y = static_cast<double>(j);
  return {std::fma(-y, part3, std::fma(-y, part2, std::fma(-y, part1, x))),
          static_cast<int>(j & 7)};
}

double sin_reduced(double z) {
  static constexpr double c[] = {1.58962301576546568060e-10, -2.50507477628578072866e-8,
                                 2.75573136213857245213e-6,  -1.98412698295895385996e-4,
                                 8.33333333332211858878e-3,  -1.66666666666666307295e-1};
  const double zz = z * z;
  return std::fma(z * zz, evaluate(zz, c), z);
}

double cos_reduced(double z) {
  static constexpr double c[] = {-1.13585365213876817300e-11, 2.08757008419747316778e-9,
                                 -2.75573141792967388112e-7,  2.48015872888517045348e-5,
                                 -1.38888888888730564116e-3,  4.16666666666665929218e-2};
  const double zz = z * z;
  return std::fma(zz * zz, evaluate(zz, c), std::fma(-0.5, zz, 1.0));
}

bool out_of_range(double x) { return !(std::fabs(x) < 1e8); }

}  // namespace

double exp(double x) { return HWY_NAMESPACE::exp(Tag{}, simd::Set(Tag{}, x)).raw; }

double tanh(double x) { return HWY_NAMESPACE::tanh(Tag{}, simd::Set(Tag{}, x)).raw; }

double log(double x) {
  if (std::isnan(x) || x < 0) return std::numeric_limits<double>::quiet_NaN();
  if (x == 0) return -std::numeric_limits<double>::infinity();
  if (std::isinf(x)) return x;
  static constexpr double p[] = {1.01875663804580931796e-4, 4.97494994976747001425e-1,
                                 4.70579119878881725854e0,  1.44989225341610930846e1,
                                 1.79368678507819816313e1,  7.70838733755885391666e0};
  static constexpr double q[] = {1.0,
                                 1.12873587189167450590e1,
                                 4.52279145837532221105e1,
                                 8.29875266912776603211e1,
                                 7.11544750618563894466e1,
                                 2.31251620126765340583e1};
  double e = 0;
  if (x < std::numeric_limits<double>::min()) {  // subnormal: scale into the normal range
    x *= 0x1p54;
    e = -54;
  }
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  e += static_cast<double>(static_cast<std::int64_t>(bits >> 52) - 1022);
  double m = std::bit_cast<double>((bits & 0x000fffffffffffffull) | 0x3fe0000000000000ull);
  if (m < 0.70710678118654752440) {
    e -= 1;
    m = (m - 1.0) + m;
  } else {
    m -= 1.0;
  }
  const double z = m * m;
  double y = m * (z * evaluate(m, p) / evaluate(m, q));
  y = std::fma(e, -2.121944400546905827679e-4, y);
  y = std::fma(-0.5, z, y);
  return std::fma(e, 0.693359375, m + y);
}

double log1p(double x) {
  const double u = 1.0 + x;
  if (u == 1.0 || x == std::numeric_limits<double>::infinity()) return x;
  // The rounding error of 1 + x, carried through the logarithm to first order (Kahan).
  return log(u) * (x / (u - 1.0));
}

double symlog(double x) { return std::copysign(log1p(std::fabs(x)), x); }

double sin(double x) {
  if (out_of_range(x)) return std::numeric_limits<double>::quiet_NaN();
  const Reduced r = reduce_angle(std::fabs(x));
  const double y = (r.octant & 2) ? cos_reduced(r.z) : sin_reduced(r.z);
  return ((r.octant & 4) != 0) != std::signbit(x) ? -y : y;
}

double cos(double x) {
  if (out_of_range(x)) return std::numeric_limits<double>::quiet_NaN();
  const Reduced r = reduce_angle(std::fabs(x));
  const double y = (r.octant & 2) ? sin_reduced(r.z) : cos_reduced(r.z);
  const bool negative = r.octant == 2 || r.octant == 4;
  return negative ? -y : y;
}

double pow(double x, double y) {
  if (y == std::floor(y) && std::fabs(y) <= 1e9) {
    double result = 1, base = x;
    for (std::uint64_t n = static_cast<std::uint64_t>(std::fabs(y)); n != 0; n >>= 1) {
      if (n & 1) result *= base;
      base *= base;
    }
    return y < 0 ? 1 / result : result;
  }
  return exp(y * log(x));
}

}  // namespace unroll::numerics
