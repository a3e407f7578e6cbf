// The bf16 product against rounding by hand and sums in f64.
#include "kernels/bf16.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "kernels/recurrent.h"
#include "support/kernel_test.h"
#include "support/plain_rnn.h"
#include "support/recurrent_pass.h"
#include "unroll/core/threads.h"

namespace unroll::kernels {
namespace {

using test::bits_of;
using test::random_values;

/// To the nearest number with 8 bits of fraction, ties to even.
float rounded(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return std::bit_cast<float>((bits + 0x7fffu + (bits >> 16 & 1)) & 0xffff0000u);
}

class Bf16 : public test::KernelTest {
 protected:
  void SetUp() override {
    test::KernelTest::SetUp();
    if (!IsSkipped() && !bf16_available()) GTEST_SKIP() << "no AVX512_BF16 here";
  }
};

/// g with operands rounded and sums in f64; the products' sizes of terms in `scale`.
double definition(const Gemm<float>& g, std::size_t row, std::size_t column, double& scale) {
  const auto down = static_cast<std::ptrdiff_t>(row);
  double sum = g.init ? g.init[down * g.init_row + static_cast<std::ptrdiff_t>(column)] : 0;
  scale = std::abs(sum);
  for (int i = 0; i < g.count; ++i) {
    const Product<float>& p = g.products[i];
    for (std::size_t r = 0; r < p.repeat; ++r)
      for (std::size_t k = 0; k < p.depth; ++k) {
        const auto at = static_cast<std::ptrdiff_t>(k), again = static_cast<std::ptrdiff_t>(r);
        const float a = p.a[down * p.a_row + at * p.a_k + again * p.a_repeat];
        const float b = p.b[at * p.b_k + again * p.b_repeat + static_cast<std::ptrdiff_t>(column)];
        const double term = double{rounded(a)} * double{rounded(b)};
        sum += term;
        scale += std::abs(term);
      }
  }
  return sum;
}

void expect_definition(const Gemm<float>& g, const std::string& what) {
  std::vector<double> expected, scales;
  for (std::size_t row = 0; row < g.rows; ++row)
    for (std::size_t column = 0; column < g.columns; ++column) {
      double scale = 0;
      const double sum = definition(g, row, column, scale);
      const auto at = static_cast<std::ptrdiff_t>(row);
      const float saved =
          g.saved ? g.saved[at * g.saved_row + static_cast<std::ptrdiff_t>(column)] : 0;
      expected.push_back(test::finished(sum, g.epilogue, double{saved}));
      scales.push_back(scale + 1e-30);
    }
  gemm_bf16(g);
  for (std::size_t row = 0; row < g.rows; ++row)
    for (std::size_t column = 0; column < g.columns; ++column) {
      const std::size_t i = row * g.columns + column;
      ASSERT_NEAR(
          g.out[static_cast<std::ptrdiff_t>(row) * g.out_row + static_cast<std::ptrdiff_t>(column)],
          expected[i], 1e-5 * scales[i])
          << what << " at " << row << ", " << column;
    }
}

TEST_F(Bf16, RowsOfTwoProductsAndEveryEpilogue) {
  for (const auto& [rows, columns, inputs, hidden] :
       std::vector<std::array<std::size_t, 4>>{{1, 1, 1, 1},
                                               {6, 16, 2, 4},
                                               {7, 20, 3, 20},
                                               {50, 100, 28, 100},
                                               {13, 37, 5, 37},
                                               {130, 72, 1, 261},
                                               {9, 260, 70, 260}}) {
    const std::size_t stride = padded_row(columns);
    const auto row = static_cast<std::ptrdiff_t>(stride);
    const auto a = random_values<float>(rows * inputs, 1),
               c = random_values<float>(rows * hidden, 2);
    const auto b = random_values<float>(inputs * stride, 3),
               d = random_values<float>(hidden * stride, 4);
    const auto init = random_values<float>(columns, 5),
               saved = random_values<float>(rows * columns, 6);
    std::vector<std::uint32_t> pairs(pairs_size(inputs, stride) + pairs_size(hidden, stride));
    make_pairs(b.data(), row, inputs, columns, pairs.data(), stride);
    make_pairs(d.data(), row, hidden, columns, pairs.data() + pairs_size(inputs, stride), stride);
    std::vector<float> out(rows * columns);
    Gemm<float> g;
    g.rows = rows;
    g.columns = columns;
    g.count = 2;
    g.products[0] = {.a = a.data(),
                     .a_row = static_cast<std::ptrdiff_t>(inputs),
                     .b = b.data(),
                     .b_k = row,
                     .depth = inputs,
                     .b_pairs = pairs.data(),
                     .b_pairs_row = stride};
    g.products[1] = {.a = c.data(),
                     .a_row = static_cast<std::ptrdiff_t>(hidden),
                     .b = d.data(),
                     .b_k = row,
                     .depth = hidden,
                     .b_pairs = pairs.data() + pairs_size(inputs, stride),
                     .b_pairs_row = stride};
    g.init = init.data();
    g.out = out.data();
    g.out_row = static_cast<std::ptrdiff_t>(columns);
    g.saved = saved.data();
    g.saved_row = g.out_row;
    for (const Epilogue e : {Epilogue::none, Epilogue::relu, Epilogue::tanh,
                             Epilogue::relu_derivative, Epilogue::tanh_derivative}) {
      g.epilogue = e;
      expect_definition(g, std::to_string(rows) + "x" + std::to_string(columns) + " epilogue " +
                               std::to_string(static_cast<int>(e)));
    }
    g.count = 0;
    g.epilogue = Epilogue::relu_derivative;
    expect_definition(g, "no products");
  }
}

TEST_F(Bf16, ColumnsOverSeveralSteps) {
  for (const auto& [features, columns, rows, steps] : std::vector<std::array<std::size_t, 4>>{
           {1, 1, 1, 1}, {100, 28, 13, 5}, {28, 100, 12, 14}, {130, 300, 3, 50}}) {
    const auto a = random_values<float>(steps * rows * features, 1),
               b = random_values<float>(steps * rows * columns, 2);
    auto out = random_values<float>(features * columns, 3);
    Gemm<float> g;
    g.rows = features;
    g.columns = columns;
    g.count = 1;
    const auto last = static_cast<std::ptrdiff_t>((steps - 1) * rows);
    const auto f = static_cast<std::ptrdiff_t>(features), c = static_cast<std::ptrdiff_t>(columns),
               n = static_cast<std::ptrdiff_t>(rows);
    g.products[0] = {.a = a.data() + last * f,
                     .a_row = 1,
                     .a_k = f,
                     .b = b.data() + last * c,
                     .b_k = c,
                     .depth = rows,
                     .repeat = steps,
                     .a_repeat = -n * f,
                     .b_repeat = -n * c};
    g.out = out.data();
    g.out_row = c;
    expect_definition(g, "set");
    const auto init = random_values<float>(features * columns, 4);
    g.init = init.data();
    g.init_row = c;
    expect_definition(g, "added");
  }
}

TEST_F(Bf16, RoundsToTheNearestTiesToEven) {
  // 1 + 2^-8 lies between 1 and 1 + 2^-7, 1 + 3 * 2^-8 between 1 + 2^-7 and 1 + 2^-6.
  for (const auto& [x, y] : std::vector<std::pair<float, float>>{
           {1 + 0x1p-8f, 1.0f}, {1 + 0x3p-8f, 1 + 0x1p-6f}, {1 + 0x1.01p-8f, 1 + 0x1p-7f}}) {
    const float one = 1;
    std::uint32_t pairs[16];
    make_pairs(&one, 1, 1, 1, pairs, 16);
    float out = 0;
    Gemm<float> g = dense_product<float>(1, 1, 1, &x, &one, &out);
    g.products[0].b_pairs = pairs;
    g.products[0].b_pairs_row = 16;
    gemm_bf16(g);
    EXPECT_EQ(out, y) << x;
  }
}

std::vector<float> gradients_of(const test::PlainRnn<float>& rnn, int threads) {
  set_num_threads(threads);
  return test::drive(rnn).gradients;
}

TEST_F(Bf16, GradientsAreNearThoseOfFullPrecisionAndTheSameOnAnyNumberOfThreads) {
  const int before = num_threads();
  for (const auto& [batch, hidden] :
       std::vector<std::pair<std::size_t, std::size_t>>{{37, 21}, {100, 100}, {33, 260}}) {
    test::PlainRnn<float> rnn({batch, 6, 9, hidden, 2, true, Nonlinearity::tanh}, false);
    for (auto& layer : rnn.layers)
      for (auto* w : {&layer.weight_ih, &layer.weight_hh})
        for (float& x : *w) x *= 0.1f;
    const auto full = gradients_of(rnn, 2);
    rnn.shape.bf16 = true;
    const auto one = gradients_of(rnn, 1);
    for (const int threads : {2, 3, 8})
      EXPECT_EQ(bits_of(gradients_of(rnn, threads)), bits_of(one));
    double error = 0, size = 0;
    for (std::size_t i = 0; i < full.size(); ++i) {
      error += std::pow(double{one[i]} - double{full[i]}, 2);
      size += std::pow(double{full[i]}, 2);
    }
    EXPECT_LT(std::sqrt(error / size), 0.02) << hidden;
    EXPECT_GT(error, 0);  // it did round
  }
  set_num_threads(before);
}

}  // namespace
}  // namespace unroll::kernels
