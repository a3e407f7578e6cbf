#include "core/random_normal.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "core/numerics.h"

namespace unroll {
namespace {

constexpr double two_pi = 2 * std::numbers::pi;

// Natural logarithm of x in (0, 1]. Source: Cephes logf.
float log_f32(float x) {
  constexpr float polynomial[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
                                  -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
                                  2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
  x = std::max(x, 0x1p-126f);
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  float e = static_cast<float>(static_cast<std::int32_t>(bits >> 23) - 126);
  const float m = std::bit_cast<float>((bits & 0x007fffffu) | 0x3f000000u);
  if (m < 0.707106781186547524f) {
    e -= 1;
    x = (m - 1) + m;
  } else {
    x = m - 1;
  }
  const float z = x * x;
  float y = polynomial[0];
  for (int i = 1; i < 9; ++i) y = std::fma(y, x, polynomial[i]);
  y = y * x;
  y = std::fma(y, z, e * -2.12194440e-4f);
  y = std::fma(-z, 0.5f, y);
  x = x + y;
  return std::fma(e, 0.693359375f, x);
}

// Sine and cosine of x >= 0. Source: Cephes sinf, cosf.
void sincos_f32(float x, float& sin, float& cos) {
  const std::int32_t j = (static_cast<std::int32_t>(x * 1.27323954473516f) + 1) & ~1;
  const float y = static_cast<float>(j);
  x = std::fma(y, -0.78515625f, x);
  x = std::fma(y, -2.4187564849853515625e-4f, x);
  x = std::fma(y, -3.77489497744594108e-8f, x);
  const float z = x * x;
  float c = 2.443315711809948e-5f;
  c = std::fma(c, z, -1.388731625493765e-3f);
  c = std::fma(c, z, 4.166664568298827e-2f) * z;
  c = std::fma(c, z, -(z * 0.5f)) + 1;
  float s = -1.9515295891e-4f;
  s = std::fma(s, z, 8.3321608736e-3f);
  s = std::fma(s, z, -1.6666654611e-1f) * z;
  s = std::fma(s, x, x);
  const bool swapped = (j & 2) != 0;
  sin = swapped ? c : s;
  cos = swapped ? s : c;
  if (j & 4) sin = -sin;
  if (~(j - 2) & 4) cos = -cos;
}

}  // namespace

void normal_from_uniform(std::span<float, 16> block, float mean, float std) {
  for (std::size_t j = 0; j < 8; ++j) {
    const float r = std::sqrt(-2 * log_f32(1 - block[j]));
    float sin = 0, cos = 0;
    sincos_f32(static_cast<float>(two_pi) * block[j + 8], sin, cos);
    block[j] = std::fma(r * cos, std, mean);
    block[j + 8] = std::fma(r * sin, std, mean);
  }
}

void normal_from_uniform(std::span<double, 16> block, double mean, double std) {
  for (std::size_t j = 0; j < 8; ++j) {
    const double r = std::sqrt(-2 * numerics::log(1 - block[j]));
    const double t = two_pi * block[j + 8];
    block[j] = std::fma(r * numerics::cos(t), std, mean);
    block[j + 8] = std::fma(r * numerics::sin(t), std, mean);
  }
}

}  // namespace unroll
