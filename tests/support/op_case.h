// Operations against finite differences: a table of cases for each file of tests/grad.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "support/gradcheck.h"
#include "support/tensors.h"

namespace unroll::test {

using Leaves = std::vector<Tensor>;

struct OpCase {
  const char* name;
  std::vector<Shape> shapes;  // of the leaves
  Tensor (*compute)(const Leaves&);
};

inline void PrintTo(const OpCase& c, std::ostream* out) { *out << c.name; }

inline constexpr auto name_of_case = [](const auto& info) { return std::string(info.param.name); };

/// Values of both signs, none nearer to 0 than 0.1: ReLU has its kink there.
inline Tensor leaf_of(const Shape& shape, std::uint64_t seed) {
  Tensor leaf = random_tensor(shape, DType::f64, seed, -2, 2);
  for (double& v : leaf.values<double>())
    if (std::abs(v) < 0.1) v += v < 0 ? -0.1 : 0.1;
  return leaf.set_requires_grad(true);
}

class OpTest : public ::testing::TestWithParam<OpCase> {
 protected:
  void check() {
    Leaves leaves;
    for (const Shape& shape : GetParam().shapes)
      leaves.push_back(leaf_of(shape, leaves.size() + 1));
    EXPECT_TRUE(gradients_agree([&] { return GetParam().compute(leaves); }, leaves));
  }
};

}  // namespace unroll::test
