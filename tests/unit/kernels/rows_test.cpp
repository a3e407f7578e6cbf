// Passes over rows, and their normalisation, to the bit those of plain loops.
#include "kernels/rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "support/kernel_test.h"
#include "support/plain_norm.h"

namespace unroll::kernels {
namespace {

using test::bits_of;
using test::random_values;

class RowsKernel : public test::KernelTest {};

/// Random numbers in rows that lie apart.
template <class T>
struct Numbers {
  Numbers(Extent extent, std::size_t gap, std::uint64_t seed)
      : row(extent.columns + gap), values(random_values<T>(extent.rows * row, seed)) {}

  operator Matrix<const T>() const { return {values.data(), static_cast<std::ptrdiff_t>(row)}; }
  operator Matrix<T>() { return {values.data(), static_cast<std::ptrdiff_t>(row)}; }
  T at(std::size_t n, std::size_t j) const { return values[n * row + j]; }
  T& at(std::size_t n, std::size_t j) { return values[n * row + j]; }

  std::size_t row;
  std::vector<T> values;
};

/// run(a, b, c, extent) by the kernel must leave in all of a and b what plain(a, b, c, n, j) of
/// each element leaves, and nothing else changed.
template <class T, class F, class G>
void expect_each(const char* what, F run, G plain) {
  for (const std::size_t rows : {1, 3})
    for (std::size_t columns = 1; columns < 50; ++columns) {
      const Extent extent{rows, columns};
      Numbers<T> a(extent, 5, 1), b(extent, 0, 2);
      const Numbers<T> c(extent, 2, 3);
      auto expected_a = a, expected_b = b;
      run(extent, a, b, c);
      for (std::size_t n = 0; n < rows; ++n)
        for (std::size_t j = 0; j < columns; ++j)
          plain(expected_a.at(n, j), expected_b.at(n, j), c.at(n, j));
      ASSERT_EQ(bits_of(a.values), bits_of(expected_a.values)) << what << ", " << columns;
      ASSERT_EQ(bits_of(b.values), bits_of(expected_b.values)) << what << ", " << columns;
    }
}

template <class T>
void expect_all() {
  const RowKernels<T>& rows = table<T>().rows;
  using N = Numbers<T>;
  using M = Matrix<const T>;
  expect_each<T>(
      "multiply", [&](Extent e, N& a, N& b, const N& c) { rows.multiply(e, a, M(b), c); },
      [](T& a, T& b, T c) { a = b * c; });
  expect_each<T>(
      "add", [&](Extent e, N& a, N& b, const N&) { rows.add(e, a, M(b)); },
      [](T& a, T& b, T) { a += b; });
  expect_each<T>(
      "multiply_add", [&](Extent e, N& a, N& b, const N& c) { rows.multiply_add(e, a, M(b), c); },
      [](T& a, T& b, T c) { a = std::fma(b, c, a); });
  expect_each<T>(
      "keep_zone, mask",
      [&](Extent e, N& a, N& b, const N& c) {
        rows.keep_zone(e, a, M(b), {c, T(NAN)});
      },
      [](T& a, T& b, T c) { a = std::fma(c, b, (1 - c) * a); });
  expect_each<T>(
      "keep_zone, rate",
      [&](Extent e, N& a, N& b, const N&) {
        rows.keep_zone(e, a, M(b), {{}, T(0.3)});
      },
      [](T& a, T& b, T) { a = std::fma(T(0.3), b, (1 - T(0.3)) * a); });
  expect_each<T>(
      "keep_zone, no state before",
      [&](Extent e, N& a, N&, const N& c) {
        rows.keep_zone(e, a, {}, {c, T(NAN)});
      },
      [](T& a, T&, T c) { a = std::fma(c, T{0}, (1 - c) * a); });
  expect_each<T>(
      "split_zone, mask",
      [&](Extent e, N& a, N& b, const N& c) {
        rows.split_zone(e, a, b, {c, T(NAN)});
      },
      [](T& a, T& b, T c) {
        b = c * a;
        a = (1 - c) * a;
      });
  expect_each<T>(
      "split_zone, rate",
      [&](Extent e, N& a, N& b, const N&) {
        rows.split_zone(e, a, b, {{}, T(0.3)});
      },
      [](T& a, T& b, T) {
        b = T(0.3) * a;
        a = (1 - T(0.3)) * a;
      });
}

TEST_F(RowsKernel, BitsAreThoseOfPlainLoops) {
  expect_all<float>();
  expect_all<double>();
}

template <class T>
void expect_tiny_is_nothing(int exponent) {
  const T edge = std::ldexp(T{1}, exponent), below = std::nextafter(edge, T{0});
  std::vector<T> x = {edge,
                      -edge,
                      below,
                      -below,
                      std::numeric_limits<T>::denorm_min(),
                      1,
                      -1,
                      0,
                      std::numeric_limits<T>::infinity(),
                      NAN,
                      below};
  table<T>().rows.flush_tiny({1, x.size() - 1}, {x.data(), 0});
  EXPECT_TRUE(std::isnan(x[9]));
  x[9] = 0;
  const std::vector<T> expected = {
      edge, -edge, 0, 0, 0, 1, -1, 0, std::numeric_limits<T>::infinity(), 0, below};
  EXPECT_EQ(x, expected);
}

TEST_F(RowsKernel, TinyIsNothing) {
  expect_tiny_is_nothing<float>(-96);
  expect_tiny_is_nothing<double>(-992);
}

/// Both parts of some sums, with what they are scaled by.
template <class T>
struct Sums {
  static constexpr std::size_t kRows = 3;

  Sums(std::size_t all, std::size_t first)
      : gates(all),
        joint(first),
        row(2 * gates + 2 * gates - joint + 3),
        z(random_values<T>(kRows * row, 1)),
        factors(random_values<T>(4 * gates, 2)),
        statistics(kRows * 4, T(NAN)),
        gradients(random_values<T>(4 * gates, 3)) {}

  NormalisedSums<T> call() {
    NormalisedSums<T> c;
    c.rows = kRows;
    c.gates = gates;
    c.joint = joint;
    c.z = {z.data(), static_cast<std::ptrdiff_t>(row)};
    c.input_weight = &factors[0];
    c.state_weight = &factors[gates];
    c.input_bias = &factors[2 * gates];
    c.state_bias = &factors[3 * gates];
    c.statistics = {statistics.data(), 4};
    c.gradients = gradients.data();
    return c;
  }
  std::vector<T> part(std::size_t n, std::size_t which) const {
    const auto first = z.begin() + static_cast<std::ptrdiff_t>(n * row + which * gates);
    return {first, first + static_cast<std::ptrdiff_t>(gates)};
  }
  std::vector<T> weight(std::size_t which) const {
    const auto first = factors.begin() + static_cast<std::ptrdiff_t>(which * gates);
    return {first, first + static_cast<std::ptrdiff_t>(gates)};
  }
  /// In the cell's row: where the j-th gate's sum is, or the state's part of it.
  std::size_t cell(std::size_t n, std::size_t j, bool of_state) const {
    return n * row + 2 * gates + (of_state && j >= joint ? gates - joint : 0) + j;
  }

  std::size_t gates, joint, row;
  std::vector<T> z, factors, statistics, gradients;
};

template <class T>
void expect_normalised(std::size_t gates, std::size_t joint) {
  Sums<T> sums(gates, joint);
  // Forward.
  Sums<T> expected = sums;
  table<T>().rows.normalise(sums.call());
  for (std::size_t n = 0; n < Sums<T>::kRows; ++n)
    for (std::size_t which = 0; which < 2; ++which) {
      const test::PlainNorm<T> norm(expected.part(n, which));
      expected.statistics[n * 4 + which] = norm.inverse_deviation;
      for (std::size_t j = 0; j < gates; ++j) {
        expected.z[n * expected.row + which * gates + j] = norm.xhat[j];
        const T scaled = std::fma(expected.factors[which * gates + j], norm.xhat[j],
                                  expected.factors[(2 + which) * gates + j]);
        T& to = expected.z[expected.cell(n, j, which == 1)];
        to = which == 1 && j < joint ? to + scaled : scaled;
      }
    }
  ASSERT_EQ(bits_of(sums.z), bits_of(expected.z)) << gates << ", " << joint;
  ASSERT_EQ(bits_of(sums.statistics), bits_of(expected.statistics)) << gates << ", " << joint;
  // Backward: gradients where the cell's row was.
  for (std::size_t n = 0; n < Sums<T>::kRows; ++n) {
    const auto gradient = random_values<T>(2 * gates - joint, 10 + n);
    std::copy(gradient.begin(), gradient.end(), &sums.z[sums.cell(n, 0, false)]);
  }
  expected = sums;
  table<T>().rows.normalise_backward(sums.call());
  for (std::size_t n = 0; n < Sums<T>::kRows; ++n)
    for (std::size_t which = 0; which < 2; ++which) {
      test::PlainNorm<T> norm;
      norm.xhat = expected.part(n, which);
      norm.inverse_deviation = expected.statistics[n * 4 + which];
      std::vector<T> dy;
      for (std::size_t j = 0; j < gates; ++j) {
        dy.push_back(expected.z[expected.cell(n, j, which == 1)]);
        T& weight = expected.gradients[which * gates + j];
        weight = std::fma(dy[j], norm.xhat[j], weight);
        expected.gradients[(2 + which) * gates + j] += dy[j];
      }
      const auto dx = norm.backward(dy, expected.weight(which));
      std::copy(dx.begin(), dx.end(), &expected.z[n * expected.row + which * gates]);
      ASSERT_EQ(bits_of(sums.part(n, which)), bits_of(dx)) << gates << ", " << joint;
    }
  ASSERT_EQ(bits_of(sums.gradients), bits_of(expected.gradients)) << gates << ", " << joint;
}

TEST_F(RowsKernel, NormalisedSumsAreThoseOfPlainLoops) {
  for (const std::size_t hidden : {1, 2, 5, 8, 16, 21, 40}) {
    for (const auto& [gates, joint] :
         std::vector<std::pair<std::size_t, std::size_t>>{{1, 1}, {3, 2}, {4, 4}}) {
      expect_normalised<float>(gates * hidden, joint * hidden);
      expect_normalised<double>(gates * hidden, joint * hidden);
    }
  }
}

// A row of mean 3 and deviation 2, and one that begins far from its mean.
TEST_F(RowsKernel, NormalisedRowsHaveMean0AndDeviation1) {
  Sums<double> sums(100, 100);
  for (std::size_t j = 0; j < 100; ++j) sums.z[j] = j % 2 ? 1 : 5;
  table<double>().rows.normalise(sums.call());
  for (std::size_t j = 0; j < 100; ++j) EXPECT_NEAR(sums.z[j], j % 2 ? -1 : 1, 2e-6);
  EXPECT_NEAR(sums.statistics[0], 0.5, 1e-6);

  Sums<float> far(100, 100);
  for (std::size_t j = 0; j < 100; ++j) far.z[j] = j ? static_cast<float>(j % 3) : 1000.0f;
  const std::vector<float> x = far.part(0, 0);
  table<float>().rows.normalise(far.call());
  double mean = 0, variance = 0;
  for (const float v : x) mean += double{v} / 100;
  for (const float v : x) variance += (double{v} - mean) * (double{v} - mean) / 100;
  for (std::size_t j = 0; j < 100; ++j)
    EXPECT_NEAR(far.z[j], (double{x[j]} - mean) / std::sqrt(variance), 1e-4);
}

}  // namespace
}  // namespace unroll::kernels
