#include "train/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "train/divergence.h"
#include "train/settings.h"

namespace unroll::train {
namespace {

/// A model that learns needs some steps before its output and its accuracy tell anything.
constexpr std::int64_t kEarly = 500;

std::string figure(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{:.3g}", value);
}

/// Whether a setting has an effect, so that a remedy may name it.
bool counts(const Config& config, const char* key) {
  return setting_of(key).no_effect(config).empty();
}

std::string smaller_rate(const Config& c) {
  if (!counts(c, "lr")) return "a smaller --lr-others";
  return fmt::format("a smaller --lr ({} here)", c.lr);
}

/// The remedies that the run does not have yet, one or two of them.
std::string remedies(std::vector<std::pair<bool, std::string>> all) {
  std::string text;
  int count = 0;
  for (const auto& [is_new, remedy] : all) {
    if (!is_new || count == 2) continue;
    text += (count++ > 0 ? ", or " : "") + remedy;
  }
  return text;
}

/// Whether --init could still be set to this.
bool can_init(const Config& c, InitialValues init) { return counts(c, "init") && c.init != init; }

/// The layer of which `size` is largest, above a limit. Numbers that are not finite are the
/// largest.
template <class Size>
const LayerInside* worst_layer(const Inside& inside, double limit, Size&& size) {
  const LayerInside* worst = nullptr;
  for (const LayerInside& layer : inside.layers) {
    const std::optional<double> value = size(layer);
    if (!value) continue;
    if (std::isnan(*value)) return &layer;
    if (*value > limit) {
      limit = *value;
      worst = &layer;
    }
  }
  return worst;
}

/// ||dL/dh_1|| / ||dL/dh_T||, the factor by which the gradient grows on its way back.
std::optional<double> growth(const LayerInside& layer) {
  constexpr std::size_t kFewest = 5;  // over fewer steps nothing vanishes
  const std::vector<double>& g = layer.gradient;
  if (g.size() < kFewest) return {};
  if (std::ranges::any_of(g, [](double norm) { return !std::isfinite(norm); })) return std::nan("");
  if (g.back() == 0) return {};
  return g.front() / g.back();
}

void find_divergence(const Config& config, const StepResult& failed, std::vector<Finding>& to) {
  to.push_back({"diverged",
                fmt::format("Step {} had loss {} and gradient norm {}.", failed.step,
                            figure(failed.loss), figure(failed.grad_norm)),
                remedy_for_divergence(config)});
}

void find_large_updates(const Config& config, bool failed, const Inside& inside,
                        std::vector<Finding>& to) {
  const LayerInside* worst =
      worst_layer(inside, 1, [](const LayerInside& layer) { return layer.moved; });
  if (!worst) return;
  const std::string steps =
      inside.update_steps == 1 ? "One step" : fmt::format("{} steps", inside.update_steps);
  to.push_back({"too large updates",
                fmt::format("{} moved the weights of {} by {} times their size; 0.01 is usual.",
                            steps, worst->name, figure(*worst->moved)),
                failed ? remedy_for_divergence(config) : smaller_rate(config)});
}

void find_gradients(const Config& config, std::int64_t step, bool failed, const Inside& inside,
                    std::vector<Finding>& to) {
  constexpr double kExplodes = 1000, kVanishes = 1e-5;
  const std::int64_t first = inside.times.empty() ? 0 : inside.times.front(),
                     last = inside.times.empty() ? 0 : inside.times.back();
  if (const LayerInside* worst = worst_layer(inside, kExplodes, growth)) {
    const double factor = *growth(*worst);
    const std::string remedy =
        remedies({{config.clip_norm == 0, "--clip-norm 1"},
                  {config.clip_norm != 0 && can_init(config, InitialValues::orthogonal),
                   "--init orthogonal"},
                  {config.clip_norm != 0, smaller_rate(config)}});
    to.push_back(
        {"exploding gradients",
         std::isnan(factor)
             ? fmt::format("The gradient of {} is not finite at some time steps.", worst->name)
             : fmt::format("From time step {} back to {} the gradient of {} grows {} "
                           "times.",
                           last, first, worst->name, figure(factor)),
         remedy});
  }
  if (failed || step < kEarly) return;
  const LayerInside* worst =
      worst_layer(inside, 1 / kVanishes, [](const LayerInside& layer) -> std::optional<double> {
        const auto factor = growth(layer);
        if (!factor || std::isnan(*factor)) return {};
        return 1 / *factor;
      });
  if (!worst) return;
  const bool plain = config.model == ModelKind::rnn;
  to.push_back(
      {"vanishing gradients",
       fmt::format("From time step {} back to {} the gradient of {} shrinks to {} of its size.",
                   last, first, worst->name, figure(*growth(*worst))),
       remedies({{plain, "--model gru"},
                 {plain && can_init(config, InitialValues::identity), "--init identity"},
                 {config.model == ModelKind::lstm && config.forget_bias < 1, "--forget-bias 1"},
                 {!plain && can_init(config, InitialValues::orthogonal), "--init orthogonal"},
                 {true, "more --steps"}})});
}

void find_dead_units(const Config& config, const Inside& inside, std::vector<Finding>& to) {
  const LayerInside* worst =
      worst_layer(inside, 0.5, [](const LayerInside& layer) { return layer.dead; });
  if (!worst) return;
  to.push_back({"dead units",
                fmt::format("{:.0f} % of the ReLU units of {} gave only zeros for {} samples.",
                            100 * *worst->dead, worst->name, inside.rows),
                remedies({{true, smaller_rate(config)},
                          {counts(config, "activation"), "--activation tanh"}})});
}

void find_constant_output(const Config& config, std::int64_t step, const Inside& inside,
                          std::vector<Finding>& to) {
  constexpr double kConstant = 0.01;
  if (!inside.output_spread || !(*inside.output_spread < kConstant) || inside.rows < 2) return;
  const bool early = step < kEarly;
  if (early && *inside.output_spread > 0) return;
  const bool recurrent = is_recurrent(config.model);
  const InitialValues init = recurrent ? InitialValues::orthogonal : InitialValues::kaiming;
  to.push_back({"constant output",
                fmt::format("The outputs for {} samples are nearly the same: they differ by {} %.",
                            inside.rows, figure(100 * *inside.output_spread)),
                remedies({{true, smaller_rate(config)},
                          {can_init(config, init), fmt::format("--init {}", name_of(init))},
                          {early, "more --steps"}})});
}

void find_chance(const Config& config, const Signs& signs, std::vector<Finding>& to) {
  if (signs.step < kEarly || !signs.accuracy || !signs.inside || !signs.inside->chance) return;
  const double chance = *signs.inside->chance;
  if (*signs.accuracy > chance + 0.05 * (100 - chance)) return;
  to.push_back({"accuracy at chance",
                fmt::format("The accuracy is {:.2f} % after {} steps; always the most frequent "
                            "class gives {:.2f} %.",
                            *signs.accuracy, signs.step, chance),
                remedies({{config.recipe != "tuned", "--recipe tuned"},
                          {true, fmt::format("another --lr ({} here)", config.lr)}})});
}

}  // namespace

std::vector<Finding> diagnose(const Config& config, const Signs& signs) {
  std::vector<Finding> findings;
  if (signs.failed) find_divergence(config, *signs.failed, findings);
  if (signs.inside) {
    const Inside& inside = *signs.inside;
    const bool failed = signs.failed.has_value();
    find_gradients(config, signs.step, failed, inside, findings);
    find_large_updates(config, failed, inside, findings);
    find_dead_units(config, inside, findings);
    if (!signs.failed) find_constant_output(config, signs.step, inside, findings);
  }
  if (!signs.failed) find_chance(config, signs, findings);
  return findings;
}

}  // namespace unroll::train
