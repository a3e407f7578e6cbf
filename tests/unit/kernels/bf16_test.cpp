// The bf16 product against rounding by hand and sums in f64.
#include "kernels/bf16.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "support/kernel_test.h"
#include "support/recurrent_pass.h"

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

void expect_bf16_definition(const Gemm<float>& g, const std::string& what) {
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
      expect_bf16_definition(g, std::to_string(rows) + "x" + std::to_string(columns) +
                                    " epilogue " + std::to_string(static_cast<int>(e)));
    }
    g.count = 0;
    g.epilogue = Epilogue::relu_derivative;
    expect_bf16_definition(g, "no products");
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
    expect_bf16_definition(g, "set");
    const auto init = random_values<float>(features * columns, 4);
    g.init = init.data();
    g.init_row = c;
    expect_bf16_definition(g, "added");
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

/// All gradients, one after the other.
std::vector<float> gradients_of(const test::RecurrentNumbers<float>& numbers, int threads) {
  set_num_threads(threads);
  std::vector<float> all;
  for (const auto& [name, gradient] : test::drive(numbers).gradients)
    all.insert(all.end(), gradient.begin(), gradient.end());
  return all;
}

struct Layer {
  Cell cell;
  std::size_t batch, hidden, projection;
};

TEST_F(Bf16, GradientsAreNearThoseOfFullPrecisionAndTheSameOnAnyNumberOfThreads) {
  const int before = num_threads();
  for (const auto& [cell, batch, hidden, projection] :
       std::vector<Layer>{{Cell::rnn_tanh, 37, 21, 0},
                          {Cell::rnn_tanh, 100, 100, 0},
                          {Cell::rnn_tanh, 33, 260, 0},
                          {Cell::lstm, 37, 21, 0},
                          {Cell::lstm, 33, 130, 0},
                          {Cell::lstm, 33, 130, 37},
                          {Cell::gru, 37, 21, 0},
                          {Cell::gru, 33, 150, 0}}) {
    test::RecurrentCase layer;
    layer.shape.cell = cell;
    layer.shape.batch = batch;
    layer.shape.steps = 6;
    layer.shape.input = 9;
    layer.shape.hidden = hidden;
    layer.shape.projection = projection;
    test::RecurrentNumbers<float> numbers(layer);
    for (const char* name : {"weight_ih", "weight_hh"})
      for (float& x : numbers.values[name]) x *= 0.3f;
    const auto full = gradients_of(numbers, 2);
    numbers.layer.shape.bf16 = true;
    const auto one = gradients_of(numbers, 1);
    for (const int threads : {2, 3, 8})
      EXPECT_EQ(bits_of(gradients_of(numbers, threads)), bits_of(one));
    double error = 0, size = 0;
    for (std::size_t i = 0; i < full.size(); ++i) {
      error += std::pow(double{one[i]} - double{full[i]}, 2);
      size += std::pow(double{full[i]}, 2);
    }
    EXPECT_LT(std::sqrt(error / size), 0.02) << static_cast<int>(cell) << " " << hidden;
    EXPECT_GT(error, 0);  // it did round
  }
  set_num_threads(before);
}

/// Numbers that end where memory ends: who reads further is stopped by the system.
class Guarded {
 public:
  explicit Guarded(std::size_t count) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t pages = (count * sizeof(float) + page - 1) / page;
    size_ = (pages + 1) * page;
    memory_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
    std::byte* const end = static_cast<std::byte*>(memory_) + pages * page;
    ::mprotect(end, page, PROT_NONE);
    data_ = reinterpret_cast<float*>(end) - count;
  }
  ~Guarded() { ::munmap(memory_, size_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  float* data() { return data_; }

 private:
  void* memory_;
  std::size_t size_;
  float* data_;
};

// The gates' columns that are the state's own begin anywhere in a vector, and whole vectors are
// read.
TEST_F(Bf16, NothingIsReadBeyondThePackedWeights) {
  for (const bool layer_norm : {false, true})
    for (std::size_t hidden = 1; hidden < 70; ++hidden) {
      test::RecurrentCase layer;
      layer.shape.cell = Cell::gru;
      layer.shape.batch = layer.shape.steps = layer.shape.input = 2;
      layer.shape.hidden = hidden;
      layer.shape.layer_norm = layer_norm;
      layer.shape.bf16 = true;
      const test::RecurrentNumbers<float> numbers(layer);
      const RecurrentShape s = numbers.shape();
      const RecurrentPlan plan(s);
      Guarded packed(plan.packed_size);
      pack(s, numbers.weights(), packed.data());
      std::vector<float> saved(plan.saved_size(s, 2)), output(4 * hidden);
      RecurrentForward<float> call;
      const auto row = static_cast<std::ptrdiff_t>(hidden);
      call.shape = s;
      call.packed = packed.data();
      call.input = {numbers.values.at("input").data(), 4, 2};
      call.h_0 = numbers.values.at("h_0").data();
      call.output = {output.data(), 2 * row, row};
      call.saved = saved.data();
      call.slots = call.saved_slots = 2;
      forward(call);
      const auto expected = test::RecurrentPass<float>(numbers).forward();
      EXPECT_EQ(bits_of(output), bits_of(expected.at("output"))) << hidden;
    }
}

// All that may be combined with it: to the accuracy of the rounding those of full precision.
TEST_F(Bf16, RegularisedLayers) {
  for (const Cell cell : {Cell::rnn_relu, Cell::rnn_tanh, Cell::lstm, Cell::gru}) {
    test::RecurrentCase layer;
    layer.shape.cell = cell;
    layer.shape.batch = 19;
    layer.shape.steps = 5;
    layer.shape.input = 9;
    layer.shape.hidden = 23;
    layer.shape.layer_norm = layer.shape.zoneout = layer.shape.state_dropout = true;
    for (std::size_t n = 0; n < 19; ++n) layer.lengths.push_back(5 - n / 5);
    test::RecurrentNumbers<float> numbers(layer);
    const auto full = test::drive(numbers).states.at("output");
    numbers.layer.shape.bf16 = true;
    const auto rounded = test::drive(numbers).states.at("output");
    double error = 0, size = 0;
    for (std::size_t i = 0; i < full.size(); ++i) {
      error += std::pow(double{rounded[i]} - double{full[i]}, 2);
      size += std::pow(double{full[i]}, 2);
    }
    EXPECT_LT(std::sqrt(error / size), 0.02) << static_cast<int>(cell);
    EXPECT_GT(error, 0);
  }
}

}  // namespace
}  // namespace unroll::kernels
