// Convolutions must be their definition to the bit, whatever the threads.
#include "kernels/convolution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "support/kernel_test.h"
#include "unroll/core/threads.h"

namespace unroll::kernels {
namespace {

using test::bits_of;
using test::random_values;

template <class T>
class ConvolutionKernel : public test::KernelTest {
 protected:
  ~ConvolutionKernel() override { set_num_threads(before_); }

 private:
  int before_ = num_threads();
};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ConvolutionKernel, Types, test::TypeNames);

ConvolutionShape make(std::size_t batch, std::size_t channels, std::size_t outputs, Size2d input,
                      Size2d kernel, Size2d stride, Size2d padding) {
  ConvolutionShape s{batch, channels, outputs, input, kernel, {}, stride, padding, {}};
  s.output = {(input.height + 2 * padding.height - kernel.height) / stride.height + 1,
              (input.width + 2 * padding.width - kernel.width) / stride.width + 1};
  s.shards = Shards(batch);
  return s;
}

const ConvolutionShape shapes[] = {
    make(1, 1, 1, {1, 1}, {1, 1}, {1, 1}, {0, 0}),
    make(3, 2, 5, {9, 8}, {5, 5}, {1, 1}, {2, 2}),
    make(65, 3, 7, {7, 19}, {3, 2}, {1, 1}, {0, 1}),  // four shards; rows of more than 16
    make(33, 2, 3, {8, 7}, {3, 3}, {2, 2}, {1, 1}),   // two shards
    make(2, 3, 4, {6, 9}, {2, 3}, {3, 4}, {0, 1}),    // columns that no kernel reaches
    make(2, 2, 9, {5, 6}, {3, 3}, {1, 2}, {1, 1}),
    make(2, 2, 9, {5, 6}, {3, 3}, {2, 1}, {1, 1}),
    make(2, 6, 8, {4, 5}, {1, 1}, {1, 1}, {0, 0}),
    make(2, 2, 3, {2, 3}, {2, 2}, {1, 1}, {3, 4}),    // more padding than kernel
    make(1, 40, 60, {6, 6}, {3, 3}, {1, 1}, {1, 1}),  // one image for all threads
};

/// Row or column `at` of the padded input, counted in the input; false outside of it.
bool inside(std::size_t at, std::size_t padding, std::size_t size, std::size_t& index) {
  index = at - padding;
  return at >= padding && index < size;
}

/// A case with everything computed as convolution.h says: for each element one chain of std::fma.
template <class T>
struct Reference {
  explicit Reference(const ConvolutionShape& s, std::size_t number_of_shards)
      : shape(s),
        shards(number_of_shards),
        x(random_values<T>(s.batch * s.channels * s.input.numel(), 1)),
        weight(random_values<T>(s.weights(), 2)),
        bias(random_values<T>(s.outputs, 3)),
        dy(random_values<T>(s.batch * s.outputs * s.output.numel(), 4)) {
    compute_y();
    compute_dx();
    compute_dweight();
  }

  T w_at(std::size_t o, std::size_t c, std::size_t kh, std::size_t kw) const {
    return weight[((o * shape.channels + c) * shape.kernel.height + kh) * shape.kernel.width + kw];
  }
  T x_at(std::size_t n, std::size_t c, std::size_t row, std::size_t column) const {
    std::size_t r = 0, k = 0;
    if (!inside(row, shape.padding.height, shape.input.height, r) ||
        !inside(column, shape.padding.width, shape.input.width, k))
      return 0;
    return x[((n * shape.channels + c) * shape.input.height + r) * shape.input.width + k];
  }
  T dy_at(std::size_t n, std::size_t o, std::size_t i, std::size_t j) const {
    return dy[((n * shape.outputs + o) * shape.output.height + i) * shape.output.width + j];
  }

  void compute_y() {
    const ConvolutionShape& s = shape;
    for (std::size_t n = 0; n < s.batch; ++n)
      for (std::size_t o = 0; o < s.outputs; ++o)
        for (std::int64_t i = 0; i < s.output.height; ++i)
          for (std::int64_t j = 0; j < s.output.width; ++j) {
            T sum = bias[o];
            for (std::size_t c = 0; c < s.channels; ++c)
              for (std::int64_t kw = 0; kw < s.kernel.width; ++kw)
                for (std::int64_t kh = 0; kh < s.kernel.height; ++kh)
                  sum =
                      std::fma(w_at(o, c, kh, kw),
                               x_at(n, c, i * s.stride.height + kh, j * s.stride.width + kw), sum);
            y.push_back(sum);
          }
  }

  /// dy as seen from place `at` of the padded input by row or column k of the kernel.
  static bool output_of(std::size_t at, std::size_t k, std::size_t stride, std::size_t count,
                        std::size_t& i) {
    if (at < k || (at - k) % stride != 0) return false;
    i = (at - k) / stride;
    return i < count;
  }

  void compute_dx() {
    const ConvolutionShape& s = shape;
    for (std::size_t n = 0; n < s.batch; ++n)
      for (std::size_t c = 0; c < s.channels; ++c)
        for (std::int64_t row = 0; row < s.input.height; ++row)
          for (std::int64_t column = 0; column < s.input.width; ++column) {
            T sum = 0;
            for (std::size_t o = 0; o < s.outputs; ++o)
              for (std::size_t kw = s.kernel.width; kw-- > 0;)
                for (std::size_t kh = s.kernel.height; kh-- > 0;) {
                  std::size_t i = 0, j = 0;
                  const bool is_there =
                      output_of(row + s.padding.height, kh, s.stride.height, s.output.height, i) &&
                      output_of(column + s.padding.width, kw, s.stride.width, s.output.width, j);
                  sum = std::fma(w_at(o, c, kh, kw), is_there ? dy_at(n, o, i, j) : T{0}, sum);
                }
            dx.push_back(sum);
          }
  }

  /// The sum of term(n, i, j, sum) over shards of the batch, pairwise.
  template <class F>
  T over_shards(F&& term) const {
    std::vector<T> sums;
    for (std::size_t k = 0; k < shards; ++k) {
      T sum = 0;
      for (std::size_t n = k * shape.batch / shards; n < (k + 1) * shape.batch / shards; ++n)
        for (std::int64_t i = 0; i < shape.output.height; ++i)
          for (std::int64_t j = 0; j < shape.output.width; ++j) sum = term(n, i, j, sum);
      sums.push_back(sum);
    }
    for (; sums.size() > 1; sums.resize(sums.size() / 2))
      for (std::size_t i = 0; i < sums.size() / 2; ++i) sums[i] = sums[2 * i] + sums[2 * i + 1];
    return sums[0];
  }

  void compute_dweight() {
    const ConvolutionShape& s = shape;
    for (std::size_t o = 0; o < s.outputs; ++o) {
      for (std::size_t c = 0; c < s.channels; ++c)
        for (std::int64_t kh = 0; kh < s.kernel.height; ++kh)
          for (std::int64_t kw = 0; kw < s.kernel.width; ++kw)
            dweight.push_back(over_shards([&](std::size_t n, std::size_t i, std::size_t j, T sum) {
              return std::fma(x_at(n, c, i * s.stride.height + kh, j * s.stride.width + kw),
                              dy_at(n, o, i, j), sum);
            }));
      dbias.push_back(over_shards([&](std::size_t n, std::size_t i, std::size_t j, T sum) {
        return sum + dy_at(n, o, i, j);
      }));
    }
  }

  ConvolutionShape shape;
  std::size_t shards;
  std::vector<T> x, weight, bias, dy, y, dx, dweight, dbias;
};

/// Fills everything that a kernel is to write, and must not read.
template <class T>
std::vector<T> unset(std::size_t count) {
  return std::vector<T>(count, static_cast<T>(NAN));
}

template <class T>
void expect_convolution(const ConvolutionShape& s, std::size_t shards) {
  const Reference<T> r(s, shards);
  for (const int threads : {1, 3}) {
    SCOPED_TRACE(testing::Message() << "threads " << threads);
    set_num_threads(threads);
    const ConvolutionPlan plan(s);
    auto y = unset<T>(r.y.size()), dx = unset<T>(r.dx.size());
    auto dweight = unset<T>(r.dweight.size()), dbias = unset<T>(r.dbias.size());
    auto scratch = unset<T>(plan.forward_scratch);
    convolve(plan, r.x.data(), r.weight.data(), r.bias.data(), y.data(), scratch.data());
    EXPECT_EQ(bits_of(y), bits_of(r.y));
    scratch = unset<T>(plan.input_scratch);
    convolution_input_gradient(plan, r.dy.data(), r.weight.data(), dx.data(), scratch.data());
    EXPECT_EQ(bits_of(dx), bits_of(r.dx));
    scratch = unset<T>(plan.weight_scratch);
    convolution_weight_gradient(plan, r.x.data(), r.dy.data(), dweight.data(), dbias.data(),
                                scratch.data());
    EXPECT_EQ(bits_of(dweight), bits_of(r.dweight));
    EXPECT_EQ(bits_of(dbias), bits_of(r.dbias));
  }
}

TYPED_TEST(ConvolutionKernel, IsItsDefinition) {
  for (const ConvolutionShape& s : shapes) {
    SCOPED_TRACE(testing::Message() << "shape " << &s - shapes);
    expect_convolution<TypeParam>(s, s.batch >= 64 ? 4 : s.batch >= 32 ? 2 : 1);
  }
}

// 299,925 weights: two nodes of four shards, because four would have more than 2^20 gradients.
TYPED_TEST(ConvolutionKernel, NodesOfSeveralShardsAreTheTree) {
  ConvolutionShape s = make(9, 25, 1333, {3, 3}, {3, 3}, {1, 1}, {0, 0});
  s.shards = Shards(9, 8);
  ASSERT_EQ(ConvolutionPlan(s).nodes, 2u);
  expect_convolution<TypeParam>(s, 8);
}

TYPED_TEST(ConvolutionKernel, GradientsStayWithinTheirMemory) {
  ConvolutionShape s = make(800, 64, 128, {8, 8}, {3, 3}, {1, 1}, {1, 1});
  EXPECT_EQ(ConvolutionPlan(s).nodes, 8u);  // of 73728 weights each: the most below 2^20
  s.channels = 1;
  EXPECT_EQ(ConvolutionPlan(s).nodes, 32u);  // all shards
}

// One image has no shards to share.
TYPED_TEST(ConvolutionKernel, FewChannelsAreSharedByColumnsOfTheKernel) {
  const ConvolutionShape s = make(1, 1, 4, {9, 9}, {5, 5}, {1, 1}, {0, 0});
  set_num_threads(1);
  EXPECT_EQ(ConvolutionPlan(s).strips, 1u);
  set_num_threads(2);
  EXPECT_EQ(ConvolutionPlan(s).strips, 2u);
  set_num_threads(8);
  EXPECT_EQ(ConvolutionPlan(s).strips, 5u);
}

}  // namespace
}  // namespace unroll::kernels
