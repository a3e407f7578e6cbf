// exp and tanh over arrays, and the choice of the instruction set.
#include "kernels/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>

#include "core/numerics.h"
#include "support/kernel_test.h"
#include "unroll/autograd/ops.h"

namespace unroll::kernels {
namespace {

using test::bits_of;

class ElementwiseKernel : public test::KernelTest {};
class InstructionSet : public test::KernelTest {};

/// Values of every size and kind.
template <class T>
std::vector<T> all_kinds() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values{0,
                        -T{0},
                        Limits::infinity(),
                        -Limits::infinity(),
                        Limits::quiet_NaN(),
                        Limits::denorm_min(),
                        -Limits::denorm_min(),
                        Limits::min(),
                        Limits::max(),
                        Limits::lowest(),
                        T(0.625),
                        T(-0.625),
                        T(88.72),
                        T(88.73),
                        T(-103.9),
                        T(-104),
                        T(709.7),
                        T(709.8),
                        T(-745.1),
                        T(-746)};
  for (const T range : {T(1e-3), T(1), T(20), T(100), T(1000)})
    for (int i = -500; i <= 500; ++i) values.push_back(range * static_cast<T>(i) / 500);
  return values;
}

template <class T, class F>
void expect_each_number(void (*kernel)(const T*, T*, std::size_t) noexcept, F scalar) {
  const std::vector<T> in = all_kinds<T>();
  std::vector<T> expected;
  for (const T x : in) expected.push_back(scalar(x));
  // Every length, so that every element is once in a whole vector and once among what is left.
  for (std::size_t first = 0; first < 40; ++first) {
    std::vector<T> out(in.size() - first);
    kernel(in.data() + first, out.data(), out.size());
    ASSERT_EQ(bits_of(out), bits_of(std::span<const T>(expected).subspan(first))) << first;
  }
  for (std::size_t count = 0; count < 40; ++count) {
    std::vector<T> out(count + 1, T{7});
    kernel(in.data(), out.data(), count);
    ASSERT_EQ(out[count], 7) << count;  // nothing beyond
  }
}

TEST_F(ElementwiseKernel, BitsAreThoseOfSingleNumbers) {
  expect_each_number<float>(table<float>().exp, [](float x) { return test::scalar_exp(x); });
  expect_each_number<float>(table<float>().tanh, [](float x) { return test::scalar_tanh(x); });
  expect_each_number<double>(table<double>().exp, [](double x) { return numerics::exp(x); });
  expect_each_number<double>(table<double>().tanh, [](double x) { return numerics::tanh(x); });
}

TEST_F(ElementwiseKernel, F32IsAccurate) {
  std::vector<float> in;
  for (float x = -103; x < 88.7f; x += 0.0037f) in.push_back(x);
  std::vector<float> out(in.size());
  const auto close = [&](double (*exact)(double)) {
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double expected = exact(static_cast<double>(in[i]));
      const double unit = std::max(std::abs(expected) * 0x1p-23, 0x1p-149);
      ASSERT_NEAR(out[i], expected, 2 * unit) << in[i];
    }
  };
  table<float>().exp(in.data(), out.data(), in.size());
  close([](double x) { return std::exp(x); });
  for (float& x : in) x *= 0.05f;
  table<float>().tanh(in.data(), out.data(), in.size());
  close([](double x) { return std::tanh(x); });
}

TEST_F(ElementwiseKernel, F32LimitsAndNan) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> in{infinity, -infinity, NAN, 88.8f, -104, -0.0f};
  std::vector<float> out(in.size());
  table<float>().exp(in.data(), out.data(), in.size());
  EXPECT_EQ(out[0], infinity);
  EXPECT_EQ(out[1], 0);
  EXPECT_TRUE(std::isnan(out[2]));
  EXPECT_EQ(out[3], infinity);
  EXPECT_EQ(out[4], 0);
  EXPECT_EQ(out[5], 1);
  table<float>().tanh(in.data(), out.data(), in.size());
  EXPECT_EQ(out[0], 1);
  EXPECT_EQ(out[1], -1);
  EXPECT_TRUE(std::isnan(out[2]));
  EXPECT_TRUE(out[5] == 0 && std::signbit(out[5]));
}

TEST_F(InstructionSet, IsTheOneAskedFor) {
  const char* asked = std::getenv("UNROLL_ISA");
  if (asked && *asked) {
    EXPECT_STREQ(instruction_set(), asked);
  } else {
    EXPECT_TRUE(std::string("avx512 avx2 neon scalar").find(instruction_set()) !=
                std::string::npos);
  }
}

// The choice is made once a process, so the test runs itself in another one.
TEST(UnknownInstructionSet, IsRefusedWithAnError) {
  const char* asked = std::getenv("UNROLL_ISA");
  if (asked && std::string(asked) == "mmx") {
    try {
      matmul(Tensor::zeros({2, 2}), Tensor::zeros({2, 2}));
      FAIL() << "computed";
    } catch (const ValueError& error) {
      EXPECT_EQ(std::string(error.what())
                    .find("[isa] UNROLL_ISA=mmx is not available here; this CPU has: "),
                0u)
          << error.what();
    }
    return;
  }
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string command = "UNROLL_ISA=mmx '" + program +
                              "' --gtest_filter=UnknownInstructionSet.IsRefusedWithAnError >&2";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace unroll::kernels
