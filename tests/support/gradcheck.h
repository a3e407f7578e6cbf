// Gradients against finite differences.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "unroll/tensor/tensor.h"

namespace unroll::test {

/// Whether backward() through compute() gives each leaf the gradient that central differences of
/// step 1e-6 find, in f64.
///
/// A result of several elements is weighed by fixed random numbers and summed. Such a difference of
/// a loss of about 1 is right to 1e-10 (rounding: 1e-16 / 1e-6; curvature: 1e-12), larger losses in
/// proportion, so |difference| <= tolerance * max(1, largest gradient of that leaf) with 1e-6 has a
/// wide margin and still sees a term that is off by a thousandth of a percent. Leaves are f64 and
/// contiguous; their gradients are forgotten. A leaf that gets no gradient is treated as zeros.
::testing::AssertionResult gradients_agree(const std::function<Tensor()>& compute,
                                           const std::vector<Tensor>& leaves,
                                           double tolerance = 1e-6);

}  // namespace unroll::test
