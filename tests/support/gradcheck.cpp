#include "support/gradcheck.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "support/tensors.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/autograd/ops.h"

namespace unroll::test {
namespace {

Tensor weighed(const Tensor& result) {
  if (result.rank() == 0) return result;
  return sum(result * random_tensor(result.shape(), result.dtype(), 99));
}

/// d(loss)/d(value), by changing the value in place.
double difference(const std::function<Tensor()>& compute, double& value) {
  constexpr double step = 1e-6;
  const NoGrad no_grad;
  const double before = value;
  value = before + step;
  const double above = value, loss_above = weighed(compute()).item();
  value = before - step;
  const double below = value, loss_below = weighed(compute()).item();
  value = before;
  return (loss_above - loss_below) / (above - below);
}

}  // namespace

::testing::AssertionResult gradients_agree(const std::function<Tensor()>& compute,
                                           const std::vector<Tensor>& leaves, double tolerance) {
  for (Tensor leaf : leaves) leaf.clear_grad();
  weighed(compute()).backward();
  for (std::size_t l = 0; l < leaves.size(); ++l) {
    Tensor leaf = leaves[l];
    const auto values = leaf.values<double>();
    std::vector<double> numeric;
    for (double& value : values) numeric.push_back(difference(compute, value));
    double largest = 1;
    for (const double g : numeric) largest = std::max(largest, std::abs(g));
    const std::vector<double> exact =
        leaf.grad().defined() ? leaf.grad().to_vector() : std::vector<double>(numeric.size());
    leaf.clear_grad();
    for (std::size_t i = 0; i < numeric.size(); ++i)
      if (!(std::abs(exact[i] - numeric[i]) <= tolerance * largest))
        return ::testing::AssertionFailure()
               << fmt::format("leaf {} of shape {}, element {}: gradient {}, difference {}", l,
                              leaf.shape().str(), i, exact[i], numeric[i]);
  }
  return ::testing::AssertionSuccess();
}

}  // namespace unroll::test
