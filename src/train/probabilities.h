// Logits as probabilities.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "core/numerics.h"

namespace unroll::train {

/// softmax(logits), in f64. Reuses the memory of `to`.
template <class T>
void probabilities_of(std::span<const T> logits, std::vector<double>& to) {
  const T largest = *std::ranges::max_element(logits);
  to.resize(logits.size());
  double total = 0;
  for (std::size_t c = 0; c < to.size(); ++c)
    total += to[c] = numerics::exp(static_cast<double>(logits[c] - largest));
  for (double& p : to) p /= total;
}

}  // namespace unroll::train
