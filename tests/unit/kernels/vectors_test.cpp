// Loops over rows and sums of rows, compiled for every instruction set and run on all that this CPU
// has: they must give the bits of a plain loop.
#include "core/simd_targets.h"
// This first: Highway reads it.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "unit/kernels/vectors_test.cpp"
#include <hwy/foreach_target.h>
// foreach_target comes first: it includes this file once for each target.
#include <hwy/highway.h>

#include "kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

/// The sums of x and of its squares.
template <class T>
std::array<T, 2> sums_of(const T* x, std::size_t count) {
  return row_sums<T, 2>(count, [&](auto d, std::size_t j) HWY_ATTR {
    const auto v = simd::LoadU(d, x + j);
    return std::array{v, simd::Mul(v, v)};
  });
}

/// to[j] += x[j], or 0 where x is null, for j in [begin, end).
template <class T>
void add_to(const T* x, T* to, std::size_t begin, std::size_t end) {
  for_vectors(simd::ScalableTag<T>(), begin, end, [&](auto d, std::size_t j) HWY_ATTR {
    simd::StoreU(simd::Add(simd::LoadU(d, to + j), load_or_zero(d, x, j)), d, to + j);
  });
}

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <gtest/gtest.h>

#include "support/kernel_test.h"
#include "support/plain_norm.h"

namespace unroll {
namespace {

template <class T>
struct Level {
  std::int64_t target;
  std::array<T, 2> (*sums)(const T*, std::size_t);
  void (*add)(const T*, T*, std::size_t, std::size_t);
};

template <class T>
std::vector<Level<T>> levels_here() {
  std::vector<Level<T>> levels{
      {HWY_STATIC_TARGET, &HWY_NAMESPACE::sums_of<T>, &HWY_NAMESPACE::add_to<T>}};
#if HWY_TARGETS & HWY_AVX3
  if (HWY_SUPPORTED_TARGETS & HWY_AVX3)
    levels.push_back({HWY_AVX3, &N_AVX3::sums_of<T>, &N_AVX3::add_to<T>});
#endif
#if HWY_TARGETS & HWY_AVX2
  if (HWY_SUPPORTED_TARGETS & HWY_AVX2)
    levels.push_back({HWY_AVX2, &N_AVX2::sums_of<T>, &N_AVX2::add_to<T>});
#endif
  return levels;
}

template <class T>
void expect_plain_sums() {
  for (std::size_t count = 0; count < 140; ++count) {
    const auto x = test::random_values<T>(count, count + 1);
    std::vector<T> squares;
    for (const T v : x) squares.push_back(v * v);
    const std::vector<T> expected{test::plain_row_sum(x), test::plain_row_sum(squares)};
    for (const auto& level : levels_here<T>()) {
      const auto sums = level.sums(x.data(), count);
      ASSERT_EQ(test::bits_of(std::span<const T>(sums)), test::bits_of(expected))
          << hwy::TargetName(level.target) << ", " << count;
    }
  }
}

TEST(Vectors, SumsOfRowsAreThoseOfPlainLoops) {
  expect_plain_sums<float>();
  expect_plain_sums<double>();
}

template <class T>
void expect_each_once() {
  constexpr std::size_t kSize = 75;
  const auto x = test::random_values<T>(kSize, 1), before = test::random_values<T>(kSize, 2);
  for (const auto& level : levels_here<T>())
    for (std::size_t begin = 0; begin < 20; ++begin)
      for (std::size_t end = begin; end <= kSize; ++end) {
        auto to = before, expected = before;
        level.add(x.data(), to.data(), begin, end);
        level.add(nullptr, to.data(), begin, end);
        for (std::size_t j = begin; j < end; ++j) expected[j] += x[j];
        ASSERT_EQ(test::bits_of(to), test::bits_of(expected))
            << hwy::TargetName(level.target) << ", " << begin << " to " << end;
      }
}

TEST(Vectors, EveryElementIsVisitedOnceAndNoOther) {
  expect_each_once<float>();
  expect_each_once<double>();
}

}  // namespace
}  // namespace unroll

#endif  // HWY_ONCE
