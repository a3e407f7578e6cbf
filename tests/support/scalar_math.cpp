#define HWY_COMPILE_ONLY_SCALAR
#include "support/scalar_math.h"

#include "core/math-inl.h"

namespace unroll::test {

namespace simd = HWY_NAMESPACE::simd;

float scalar_exp(float x) {
  return HWY_NAMESPACE::exp(simd::Tag<float>{}, simd::Vec<float>{x}).raw;
}
double scalar_exp(double x) {
  return HWY_NAMESPACE::exp(simd::Tag<double>{}, simd::Vec<double>{x}).raw;
}
float scalar_tanh(float x) {
  return HWY_NAMESPACE::tanh(simd::Tag<float>{}, simd::Vec<float>{x}).raw;
}
double scalar_tanh(double x) {
  return HWY_NAMESPACE::tanh(simd::Tag<double>{}, simd::Vec<double>{x}).raw;
}
float scalar_sigmoid(float x) {
  return HWY_NAMESPACE::sigmoid(simd::Tag<float>{}, simd::Vec<float>{x}).raw;
}
double scalar_sigmoid(double x) {
  return HWY_NAMESPACE::sigmoid(simd::Tag<double>{}, simd::Vec<double>{x}).raw;
}

}  // namespace unroll::test
