#include "train/divergence.h"

#include <fmt/format.h>

namespace unroll::train {

std::string remedy_for_divergence(const Config& c) {
  const std::string smaller = fmt::format("a smaller --lr ({} is too much here)", c.lr);
  if (c.clip_norm > 0) return smaller;
  // Clipping does not help if the rate is so high that a single step of norm 1 ruins the weights.
  return c.lr > 1 ? "--clip-norm 1, and " + smaller : "--clip-norm 1";
}

}  // namespace unroll::train
