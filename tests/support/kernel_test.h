// What the tests of kernels share. They run once for every instruction set that UNROLL_ISA can name
// (tests/CMakeLists.txt), and always against the same plain loops.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/table.h"
#include "support/scalar_math.h"
#include "unroll/core/error.h"
#include "unroll/core/random.h"

namespace unroll::test {

/// Skips a test where UNROLL_ISA names a level that this CPU lacks.
class KernelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      kernels::instruction_set();
    } catch (const ValueError& error) {
      GTEST_SKIP() << error.what();
    }
  }
};

/// Of tests of both types.
struct TypeNames {
  template <class T>
  static std::string GetName(int) {
    return sizeof(T) == 4 ? "f32" : "f64";
  }
};

template <class T>
std::vector<T> random_values(std::size_t count, std::uint64_t seed) {
  Generator generator(seed);
  std::vector<T> values(count);
  generator.uniform(std::span(values), -1, 1);
  return values;
}

/// The bits, so that 0 does not equal -0. NaN equals NaN whatever its sign and payload, which
/// processors choose differently and nothing here promises.
template <class T>
auto bits_of(std::span<const T> values) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  std::vector<Bits> bits;
  for (const T v : values) bits.push_back(std::isnan(v) ? ~Bits{0} : std::bit_cast<Bits>(v));
  return bits;
}
template <class T>
auto bits_of(const std::vector<T>& values) {
  return bits_of(std::span<const T>(values));
}

/// The epilogue as its comment in table.h says.
template <class T>
T finished(T sum, kernels::Epilogue epilogue, T saved) {
  switch (epilogue) {
    case kernels::Epilogue::relu:
      return sum < 0 ? T{0} : sum;
    case kernels::Epilogue::tanh:
      return scalar_tanh(sum);
    case kernels::Epilogue::relu_derivative:
      return saved <= 0 ? T{0} : sum;
    case kernels::Epilogue::tanh_derivative:
      return std::fma(-saved, saved, T{1}) * sum;
    case kernels::Epilogue::add:  // see plain_gemm
    case kernels::Epilogue::none:
      break;
  }
  return sum;
}

/// The product as its comments in table.h say: for each output one chain of std::fma.
template <class T>
void plain_gemm(const kernels::Gemm<T>& g) {
  const auto at = [](const T* data, std::size_t i, std::ptrdiff_t stride) {
    return data + static_cast<std::ptrdiff_t>(i) * stride;
  };
  for (std::size_t row = 0; row < g.rows; ++row)
    for (std::size_t column = 0; column < g.columns; ++column) {
      T sum = g.init ? at(g.init, row, g.init_row)[column] : T{0};
      for (int i = 0; i < g.count; ++i) {
        const kernels::Product<T>& p = g.products[i];
        for (std::size_t r = 0; r < p.repeat; ++r)
          for (std::size_t k = 0; k < p.depth; ++k)
            sum = std::fma(*at(at(at(p.a, row, p.a_row), k, p.a_k), r, p.a_repeat),
                           at(at(p.b, k, p.b_k), r, p.b_repeat)[column], sum);
      }
      if (g.epilogue == kernels::Epilogue::add)
        for (std::size_t i = 0; i < g.saved_count; ++i)
          sum = at(at(g.saved, i, g.saved_next), row, g.saved_row)[column] + sum;
      const T saved = g.saved ? at(g.saved, row, g.saved_row)[column] : T{0};
      g.out[static_cast<std::ptrdiff_t>(row) * g.out_row + static_cast<std::ptrdiff_t>(column)] =
          finished(sum, g.epilogue, saved);
    }
}

}  // namespace unroll::test
