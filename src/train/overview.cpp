#include "train/overview.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "train/settings.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

constexpr std::string_view kModelTitles[] = {
    "one linear layer, trained with cross-entropy",
    "one linear layer, trained with squared errors",
    "linear layers with activations between them, over all pixels",
    "convolutions of 5x5, each with an activation and pooling, and a linear layer",
    "a plain recurrent network with relu or tanh",
    "long short-term memory",
    "gated recurrent units",
};
static_assert(std::size(kModelTitles) == std::size(model_names));

constexpr std::string_view kRecipeTitles[] = {
    "Muon or AdamW, gradients clipped to norm 1, images moved by up to a pixel",
    "tuned at higher rates, in fewer steps",
    "the chapter to the letter: SGD with a rate of 0.1, unstable for some seeds",
};
static_assert(std::size(kRecipeTitles) == std::size(recipe_names));

constexpr double kDiverged = std::numeric_limits<double>::quiet_NaN();

}  // namespace

std::string_view title_of(ModelKind model) { return kModelTitles[static_cast<int>(model)]; }

std::vector<std::string> own_flags_of(ModelKind model) {
  constexpr Names kAll = (1U << std::size(model_names)) - 1;
  std::vector<std::string> flags;
  for (const Setting& setting : settings()) {
    const Rules& rules = setting.rules;
    const Names with = rules.models & (rules.only.key == "model" ? rules.only.names : kAll) & kAll;
    if ((with & set_of({model})) != 0 && with != kAll) flags.push_back(setting.flag());
  }
  return flags;
}

std::string_view title_of_recipe(std::string_view recipe) {
  const auto found = std::ranges::find(recipe_names, recipe);
  if (found == std::end(recipe_names))
    throw ValueError("recipe", fmt::format("'{}' is not known", recipe));
  return kRecipeTitles[found - std::begin(recipe_names)];
}

std::string KnownResult::command() const {
  std::string text = fmt::format("unroll train {}", dataset);
  const bool usual = model == train::recipe(recipe, {.dataset = dataset}).model;
  if (!usual) text += fmt::format(" --model {}", name_of(model));
  if (recipe != "tuned") text += fmt::format(" --recipe {}", recipe);
  return flags.empty() ? text : fmt::format("{} {}", text, flags);
}

double KnownResult::mean() const {
  double sum = 0;
  for (const double value : seeds) sum += value;
  return sum / static_cast<double>(seeds.size());
}

const std::vector<KnownResult>& known_results() {
  using enum ModelKind;
  static const std::vector<KnownResult> all = {
      {"mnist", rnn, "tuned", "", "accuracy", {98.97, 98.93, 98.97, 98.81, 98.98}},
      {"mnist", rnn, "sprint", "", "accuracy", {98.20, 98.25, 98.28, 98.26, 98.18}},
      {"mnist", rnn, "tutorial", "", "accuracy", {92.55, kDiverged, 87.93, 86.99, 89.57}},
      {"mnist", rnn, "tutorial", "--clip-norm 1", "accuracy", {91.14, 88.21, 91.53, 93.45, 93.39}},
      {"mnist", logistic, "tuned", "", "accuracy", {92.52, 92.41, 92.52, 92.51, 92.55}},
      {"mnist", linear, "tuned", "", "accuracy", {85.95, 85.86, 86.06, 85.97, 85.88}},
      {"mnist", fnn, "tuned", "", "accuracy", {98.17, 98.04, 98.10, 98.16, 98.12}},
      {"mnist", cnn, "tuned", "", "accuracy", {99.33, 99.42, 99.36, 99.45, 99.48}},
      {"mnist", rnn, "tuned", "--layers 2", "accuracy", {99.04, 99.05, 99.21, 99.06, 99.02}},
      {"mnist",
       rnn,
       "tuned",
       "--layers 2 --activation tanh",
       "accuracy",
       {98.81, 99.04, 98.97, 98.88, 98.95}},
      {"mnist", gru, "tuned", "", "accuracy", {99.19, 99.18, 99.16, 99.20, 99.18}},
      {"mnist", lstm, "tuned", "", "accuracy", {99.10, 99.06, 99.16, 99.05, 98.87}},
      {"adding",
       gru,
       "tuned",
       "--length 100",
       "mean squared error",
       {3.0e-5, 3.2e-5, 2.8e-5, 3.0e-5, 2.8e-5}},
      {"copy", rnn, "tuned", "--length 100", "accuracy", {99.86}},
  };
  return all;
}

}  // namespace unroll::train
