#include "train/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/suggest.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

void check(bool fine, std::string_view setting, const std::string& value,
           std::string_view expected) {
  if (!fine) throw ValueError(setting, fmt::format("{}, expected {}", value, expected));
}

void check_count(std::string_view setting, std::int64_t value, std::int64_t low,
                 std::int64_t high) {
  check(value >= low && value <= high, setting, fmt::format("{}", value),
        fmt::format("a whole number from {} to {}", low, high));
}

void check_real(std::string_view setting, double value, bool zero_allowed) {
  check(std::isfinite(value) && (value > 0 || (zero_allowed && value == 0)), setting,
        fmt::format("{}", value), zero_allowed ? "a number of at least 0" : "a number above 0");
}

}  // namespace

bool operator==(const Config& a, const Config& b) { return to_json(a, {}) == to_json(b, {}); }

// Sources: the tutorial chapter; our own experiments, chosen on the last 10,000 training images.
Config recipe(std::string_view name) {
  Config c;
  c.recipe = name;
  if (name == "tutorial") return c;
  if (name != "tuned" && name != "sprint")
    throw ValueError("recipe",
                     fmt::format("'{}' is not known, expected one of {}{}", name,
                                 fmt::join(recipe_names, ", "), did_you_mean(name, recipe_names)));
  c.init = InitialValues::identity;
  c.optimizer = Algorithm::muon;
  c.lr = 0.005;
  c.lr_others = 5e-3;
  c.momentum = 0.9;
  c.beta2 = 0.99;
  c.clip_norm = 1;
  c.schedule = ScheduleKind::linear;
  c.normalization = {.mean = 0.1307, .std = 0.3081};
  c.augment = 1;
  if (name == "sprint") {
    c.steps = 900;
    c.lr = 0.01;
    c.lr_others = 4e-3;
  }
  return c;
}

void validate(const Config& c) {
  constexpr std::int64_t kMany = std::int64_t{1} << 40, kMostWeights = std::int64_t{1} << 27;
  check(std::ranges::find(recipe_names, c.recipe) != std::end(recipe_names), "recipe", c.recipe,
        fmt::format("one of {}{}", fmt::join(recipe_names, ", "),
                    did_you_mean(c.recipe, recipe_names)));
  check(c.model == "rnn", "model", c.model, "rnn");
  check_count("hidden", c.hidden, 1, 1 << 16);
  check_count("layers", c.layers, 1, 256);
  // Before any memory is asked for: weights, gradients and optimizer state are several times this.
  check(c.layers * c.hidden * c.hidden <= kMostWeights, "hidden", fmt::format("{}", c.hidden),
        fmt::format("at most {} weights in all layers together", kMostWeights));
  check_count("batch-size", c.batch_size, 1, 1 << 20);
  check_count("steps", c.steps, 1, kMany);
  check_count("epochs", c.epochs, 0, kMany);
  check_count("augment", c.augment, 0, 4);
  check_count("threads", c.threads, 0, 1024);
  check_count("eval-every", c.eval_every, 0, kMany);
  for (const std::int64_t step : c.save_at) check_count("save-at", step, 1, kMany);
  check_real("lr", c.lr, false);
  check_real("lr-others", c.lr_others, true);
  check(c.momentum >= 0 && c.momentum < 1, "momentum", fmt::format("{}", c.momentum),
        "a number from 0 to below 1");
  check(c.beta2 >= 0 && c.beta2 < 1, "beta2", fmt::format("{}", c.beta2),
        "a number from 0 to below 1");
  check_real("weight-decay", c.weight_decay, true);
  check_real("clip-norm", c.clip_norm, true);
  data::pixel_values(c.normalization);
}

}  // namespace unroll::train
