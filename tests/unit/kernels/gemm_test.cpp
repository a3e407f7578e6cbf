// The matrix product must be its definition to the bit, whatever the blocking.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "kernels/parallel_gemm.h"
#include "kernels/sharded_gemm.h"
#include "support/kernel_test.h"
#include "unroll/core/threads.h"

namespace unroll::kernels {
namespace {

using test::bits_of;
using test::random_values;

template <class T>
class GemmKernel : public test::KernelTest {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(GemmKernel, Types, test::TypeNames);

/// A product (rows, depth) (depth, columns) with its memory; what is beyond is left as it is.
template <class T>
struct Problem {
  static constexpr std::size_t kPadding = 3;  // elements between rows that nobody may touch

  std::size_t rows, columns, depth;
  std::vector<T> a, b, c, d, init, saved;

  Problem(std::size_t m, std::size_t n, std::size_t k)
      : rows(m),
        columns(n),
        depth(k),
        a(random_values<T>(m * (k + kPadding), 1)),
        b(random_values<T>(k * (n + kPadding), 2)),
        c(random_values<T>(m * (k + kPadding), 3)),
        d(random_values<T>(k * (n + kPadding), 4)),
        init(random_values<T>(m * (n + kPadding), 5)),
        saved(random_values<T>(m * (n + kPadding), 6)) {}

  std::ptrdiff_t stride(std::size_t size) const {
    return static_cast<std::ptrdiff_t>(size + kPadding);
  }

  Gemm<T> gemm(int products) const {
    Gemm<T> g;
    g.rows = rows;
    g.columns = columns;
    g.count = products;
    g.products[0] = {.a = a.data(),
                     .a_row = stride(depth),
                     .b = b.data(),
                     .b_k = stride(columns),
                     .depth = depth};
    g.products[1] = {.a = c.data(),
                     .a_row = stride(depth),
                     .b = d.data(),
                     .b_k = stride(columns),
                     .depth = depth};
    g.out_row = stride(columns);
    return g;
  }
};

/// Runs the kernel and the definition into equal memory and compares all of it.
template <class T>
void expect_definition(Gemm<T> g, const std::string& what) {
  const std::vector<T> before(g.rows * static_cast<std::size_t>(g.out_row) + 1, T{7});
  std::vector<T> got = before, expected = before;
  g.out = got.data();
  table<T>().gemm(g);
  g.out = expected.data();
  test::plain_gemm(g);
  ASSERT_EQ(bits_of(got), bits_of(expected)) << what;
}

std::string size_text(std::size_t m, std::size_t n, std::size_t k) {
  return std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
}

TYPED_TEST(GemmKernel, EverySizeUpTo40) {
  for (std::size_t m = 1; m <= 40; ++m)
    for (std::size_t n = 1; n <= 40; ++n) {
      const std::size_t k = 1 + (m * 7 + n * 3) % 13;
      expect_definition(Problem<TypeParam>(m, n, k).gemm(1), size_text(m, n, k));
    }
}

TYPED_TEST(GemmKernel, LargeAndThinSizes) {
  for (const auto& [m, n, k] : std::vector<std::array<std::size_t, 3>>{{100, 100, 28},
                                                                       {12, 100, 100},
                                                                       {1, 300, 5},
                                                                       {50, 1, 64},
                                                                       {7, 129, 1},
                                                                       {100, 10, 100},
                                                                       {3, 257, 300}})
    expect_definition(Problem<TypeParam>(m, n, k).gemm(1), size_text(m, n, k));
}

TYPED_TEST(GemmKernel, NothingToDo) {
  for (const auto& [m, n, k] :
       std::vector<std::array<std::size_t, 3>>{{0, 5, 5}, {5, 0, 5}, {5, 5, 0}})
    expect_definition(Problem<TypeParam>(m, n, k).gemm(1), size_text(m, n, k));
  expect_definition(Problem<TypeParam>(5, 21, 3).gemm(0), "no products");
}

TYPED_TEST(GemmKernel, EmptyProductsBesideOneOfSeveralPanels) {
  // Deeper than a panel of any instruction set, with more rows than a block.
  const Problem<TypeParam> problem(13, 70, 900);
  Gemm<TypeParam> g = problem.gemm(2);
  g.init = problem.init.data();
  g.init_row = problem.stride(70);
  g.epilogue = Epilogue::relu;
  expect_definition(g, "two");
  g.products[0].depth = 0;
  expect_definition(g, "the first is empty");
  g.products[0].depth = 900;
  g.products[1].depth = 0;
  expect_definition(g, "the second is empty");
}

TYPED_TEST(GemmKernel, TwoProductsAreOneChain) {
  for (std::size_t n = 1; n <= 40; ++n)
    expect_definition(Problem<TypeParam>(n % 9 + 1, n, 11).gemm(2), std::to_string(n));
}

TYPED_TEST(GemmKernel, ChainsStartAtInit) {
  for (std::size_t n = 1; n <= 40; ++n) {
    const Problem<TypeParam> problem(7, n, 5);
    Gemm<TypeParam> g = problem.gemm(2);
    g.init = problem.init.data();
    expect_definition(g, "one row for all " + std::to_string(n));
    g.init_row = problem.stride(n);
    expect_definition(g, "rows of its own " + std::to_string(n));
    g.count = 0;
    expect_definition(g, "no products " + std::to_string(n));
  }
}

TYPED_TEST(GemmKernel, InitMayBeTheOutput) {
  const Problem<TypeParam> problem(9, 37, 6);
  Gemm<TypeParam> g = problem.gemm(1);
  std::vector<TypeParam> got = problem.init, expected = problem.init;
  g.init_row = g.out_row;
  g.init = g.out = got.data();
  table<TypeParam>().gemm(g);
  g.init = g.out = expected.data();
  test::plain_gemm(g);
  EXPECT_EQ(bits_of(got), bits_of(expected));
}

TYPED_TEST(GemmKernel, RepeatsContinueTheChain) {
  // As the gradient of weights: a is read down its columns, over several blocks of memory.
  constexpr std::size_t steps = 4, rows = 5, outputs = 13, inputs = 39;
  const auto dz = random_values<TypeParam>(steps * rows * outputs, 1);
  const auto x = random_values<TypeParam>(steps * rows * inputs, 2);
  Gemm<TypeParam> g;
  g.rows = outputs;
  g.columns = inputs;
  g.count = 1;
  g.products[0] = {.a = dz.data(),
                   .a_row = 1,
                   .a_k = outputs,
                   .b = x.data(),
                   .b_k = inputs,
                   .depth = rows,
                   .repeat = steps,
                   .a_repeat = rows * outputs,
                   .b_repeat = rows * inputs};
  g.out_row = inputs;
  expect_definition(g, "steps one after the other");
  // Steps and rows exchanged: as a batch-first sequence lies in memory.
  g.products[0].b_k = steps * inputs;
  g.products[0].b_repeat = inputs;
  expect_definition(g, "rows one after the other");
  g.products[0].repeat = 0;
  expect_definition(g, "none");
}

TYPED_TEST(GemmKernel, EveryEpilogue) {
  for (const Epilogue epilogue :
       {Epilogue::relu, Epilogue::tanh, Epilogue::relu_derivative, Epilogue::tanh_derivative})
    for (std::size_t n = 1; n <= 40; ++n) {
      const Problem<TypeParam> problem(8, n, 4);
      Gemm<TypeParam> g = problem.gemm(2);
      g.epilogue = epilogue;
      g.saved = problem.saved.data();
      g.saved_row = problem.stride(n);
      expect_definition(g, std::to_string(static_cast<int>(epilogue)) + " " + std::to_string(n));
    }
}

// 900 is more than one panel of the depth.
TYPED_TEST(GemmKernel, AddsMatricesAtTheStore) {
  for (const auto& [n, k] : std::vector<std::array<std::size_t, 2>>{{1, 4}, {37, 4}, {70, 900}})
    for (const std::size_t count : {0, 1, 3}) {
      const Problem<TypeParam> problem(8, n, k);
      const auto others = random_values<TypeParam>(count * problem.saved.size(), 7);
      Gemm<TypeParam> g = problem.gemm(1);
      g.epilogue = Epilogue::add;
      g.saved = others.data();
      g.saved_row = problem.stride(n);
      g.saved_count = count;
      g.saved_next = static_cast<std::ptrdiff_t>(problem.saved.size());
      expect_definition(g, std::to_string(count) + ", " + size_text(8, n, k));
    }
}

TYPED_TEST(GemmKernel, NanIsNotHidden) {
  using Limits = std::numeric_limits<TypeParam>;
  for (const std::size_t n : {1, 5, 16, 37}) {
    Problem<TypeParam> problem(3, n, 4);
    problem.a[0] = Limits::quiet_NaN();  // the first row
    Gemm<TypeParam> g = problem.gemm(1);
    std::vector<TypeParam> out(3 * static_cast<std::size_t>(g.out_row));
    g.out = out.data();
    g.saved = problem.saved.data();
    g.saved_row = problem.stride(n);
    for (const Epilogue epilogue : {Epilogue::none, Epilogue::relu, Epilogue::tanh}) {
      g.epilogue = epilogue;
      table<TypeParam>().gemm(g);
      for (std::size_t i = 0; i < n; ++i) {
        EXPECT_TRUE(std::isnan(out[i]));
        EXPECT_FALSE(std::isnan(out[static_cast<std::size_t>(g.out_row) + i]));
      }
    }
    // A state that is NaN lets the gradient through, which is what makes the run show it.
    std::ranges::fill(problem.saved, Limits::quiet_NaN());
    g.epilogue = Epilogue::relu_derivative;
    table<TypeParam>().gemm(g);
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_TRUE(std::isnan(out[i]));
      EXPECT_NE(out[static_cast<std::size_t>(g.out_row) + i], 0);
    }
  }
}

TYPED_TEST(GemmKernel, SubnormalsAreKept) {
  const TypeParam smallest = std::numeric_limits<TypeParam>::denorm_min();
  const std::vector<TypeParam> a(40, smallest), b(40, 1);
  Gemm<TypeParam> g;
  g.rows = 1;
  g.columns = 37;
  g.count = 1;
  g.products[0] = {.a = a.data(), .b = b.data(), .b_k = 0, .depth = 3};
  g.out_row = 37;
  expect_definition(g, "three of the smallest");
}

TYPED_TEST(GemmKernel, BitsAreTheSameOnAnyNumberOfThreads) {
  const int before = num_threads();
  const Problem<TypeParam> problem(100, 90, 40);
  Gemm<TypeParam> g = problem.gemm(2);
  g.init = problem.init.data();
  g.init_row = problem.stride(90);
  g.saved = problem.saved.data();
  g.saved_row = problem.stride(90);
  g.epilogue = Epilogue::tanh_derivative;
  std::vector<TypeParam> expected(100 * static_cast<std::size_t>(g.out_row));
  g.out = expected.data();
  test::plain_gemm(g);
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    std::vector<TypeParam> got(expected.size());
    g.out = got.data();
    parallel_gemm(g);
    EXPECT_EQ(bits_of(got), bits_of(expected)) << threads;
  }
  set_num_threads(before);
}

// Several tiles of rows and columns. 64 shards have uneven sizes.
TYPED_TEST(GemmKernel, ShardedProductsAreTheTreeOverTheirShards) {
  const int before = num_threads();
  const Problem<TypeParam> problem(130, 150, 100);
  Gemm<TypeParam> g = problem.gemm(1);
  const std::size_t size = 130 * static_cast<std::size_t>(g.out_row);
  for (const std::size_t count : {1, 2, 64}) {
    std::vector<std::vector<TypeParam>> sums;
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t first = k * 100 / count;
      Gemm<TypeParam> shard = g;
      shard.products[0].a += first;
      shard.products[0].b += static_cast<std::ptrdiff_t>(first) * problem.stride(150);
      shard.products[0].depth = (k + 1) * 100 / count - first;
      shard.out = sums.emplace_back(size).data();
      test::plain_gemm(shard);
    }
    for (; sums.size() > 1; sums.resize(sums.size() / 2))
      for (std::size_t i = 0; i < sums.size() / 2; ++i)
        for (std::size_t e = 0; e < size; ++e) sums[i][e] = sums[2 * i][e] + sums[2 * i + 1][e];
    for (const int threads : {1, 3}) {
      set_num_threads(threads);
      std::vector<TypeParam> got(size);
      g.out = got.data();
      sharded_gemm(g, Shards(100, count));
      EXPECT_EQ(bits_of(got), bits_of(sums[0])) << count << " shards, " << threads << " threads";
    }
  }
  set_num_threads(before);
}

// x^T x: 101 columns are four blocks of rows, 30 one.
TYPED_TEST(GemmKernel, SymmetricProductsAreTheirDefinition) {
  const int before = num_threads();
  for (const std::size_t size : {30, 101}) {
    const std::vector<TypeParam> x = random_values<TypeParam>(90 * size, 1);
    std::vector<TypeParam> expected(size * size);
    Gemm<TypeParam> g =
        transposed_product(size, std::size_t{90}, size, x.data(), x.data(), expected.data());
    test::plain_gemm(g);
    for (const int threads : {1, 2, 3, 8}) {
      set_num_threads(threads);
      std::vector<TypeParam> got(expected.size());
      g.out = got.data();
      parallel_symmetric_gemm(g);
      EXPECT_EQ(bits_of(got), bits_of(expected)) << size << " columns, " << threads << " threads";
    }
  }
  set_num_threads(before);
}

}  // namespace
}  // namespace unroll::kernels
