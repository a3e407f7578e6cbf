#include "train/divergence.h"

#include <fmt/format.h>

#include "train/settings.h"

namespace unroll::train {

std::string remedy_for_divergence(const Config& c) {
  const bool lr = setting_of("lr").no_effect(c).empty();
  const bool others = c.lr_others > 0 && setting_of("lr_others").no_effect(c).empty();
  const std::string smaller =
      lr && others ? fmt::format("a smaller --lr or --lr-others ({} or {} is too much here)", c.lr,
                                 c.lr_others)
                   : fmt::format("a smaller {} ({} is too much here)", lr ? "--lr" : "--lr-others",
                                 lr ? c.lr : c.lr_others);
  if (c.clip_norm > 0) return smaller;
  // Clipping does not help if the rate is so high that a single step of norm 1 ruins the weights.
  const bool high = (lr && c.lr > 1) || (others && c.lr_others > 1);
  return high ? "--clip-norm 1, and " + smaller : "--clip-norm 1";
}

}  // namespace unroll::train
