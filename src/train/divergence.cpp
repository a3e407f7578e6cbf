#include "train/divergence.h"

#include <fmt/format.h>

#include <cmath>

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

std::string number_text(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{:.6g}", value);
}

std::string divergence_text(const StepResult& failed, std::string_view what,
                            const StepResult& before, const Config& config) {
  std::string text = fmt::format("stopped at step {}: loss {}, gradient norm {}{}", failed.step,
                                 number_text(failed.loss), number_text(failed.grad_norm), what);
  if (before.step > 0 && before.step < failed.step)
    text += fmt::format(" (the step before: loss {}, gradient norm {})", number_text(before.loss),
                        number_text(before.grad_norm));
  const char* const cause =
      is_recurrent(config.model)
          ? "Gradients that flow back through many time steps are multiplied at each of them and "
            "can explode; one huge update then ruins the weights"
          : "One huge update ruins the weights";
  return fmt::format("{}. {}. Remedy: {}", text, cause, remedy_for_divergence(config));
}

}  // namespace unroll::train
