#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/suggest.h"
#include "data/places.h"
#include "data/source_traits.h"
#include "train/config.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

void tune_recurrent(Config& c) {
  c.optimizer = Algorithm::muon;
  c.momentum = 0.9;
  c.augment = 1;
  if (c.model == ModelKind::rnn) {
    const bool as_in_the_chapter = c.layers == 1 && c.activation == spec::Activation::relu;
    c.init = c.activation == spec::Activation::relu ? InitialValues::identity
                                                    : InitialValues::orthogonal;
    c.lr = 0.005;
    c.lr_others = as_in_the_chapter ? 5e-3 : 3e-3;
    return;
  }
  c.init = InitialValues::orthogonal;
  c.lr = 0.01;
  c.lr_others = 3e-3;
  if (c.model == ModelKind::lstm) c.forget_bias = 1;
}

void tune(Config& c) {
  c.clip_norm = 1;
  c.beta2 = 0.99;
  c.schedule = ScheduleKind::linear;
  c.normalization = {.mean = 0.1307, .std = 0.3081};  // of MNIST
  if (is_recurrent(c.model)) return tune_recurrent(c);
  c.optimizer = Algorithm::adamw;
  c.lr = c.model == ModelKind::logistic || c.model == ModelKind::linear ? 1e-3 : 3e-3;
  // Models that look at each pixel by itself gain nothing from images that move.
  if (c.model == ModelKind::cnn) c.augment = 1;
}

/// Images of one's own: nobody knows their scale, or whether a moved one has the same class.
void leave_out_what_suits_mnist(Config& c) {
  c.normalization.reset();
  c.augment = 0;
}

// Sources: the tutorial chapter; our own experiments, chosen on the last 10,000 training images.
Config for_images(std::string_view name, const RecipeFor& what) {
  Config c;
  c.recipe = name;
  c.dataset = what.dataset;
  c.model = what.model.value_or(c.model);
  c.activation = what.activation;
  if (c.model == ModelKind::cnn) {
    c.hidden = 16;
    c.layers = 2;
  }
  c.layers = what.layers.value_or(c.layers);
  if (name == "tutorial") return c;
  if (!has_recipe(name, what.dataset))
    throw ValueError("recipe",
                     fmt::format("'{}' is not known, expected one of {}{}", name,
                                 fmt::join(recipe_names, ", "), did_you_mean(name, recipe_names)));
  tune(c);
  if (name == "sprint") {
    c.steps = 900;
    c.lr *= 2;
    if (c.lr_others > 0) c.lr_others = 4e-3;
  }
  if (data::source_traits(what.dataset).pixels) {
    if (!data::known_set_in(std::string(what.dataset))) leave_out_what_suits_mnist(c);
  } else {
    c.normalization = data::Normalization{};
    c.augment = 0;
  }
  return c;
}

// All tasks of memory begin with these. Source: our own experiments.
Config for_memory(ModelKind model) {
  Config c;
  c.model = model;
  c.hidden = 64;
  c.clip_norm = 1;
  c.schedule = ScheduleKind::linear;
  c.optimizer = Algorithm::adam;
  c.lr = 0.01;
  return c;
}

Config for_adding(ModelKind model) {
  Config c = for_memory(model);
  if (model == ModelKind::rnn) {
    c.init = InitialValues::identity;
    c.lr = 0.001;
  }
  return c;
}

Config for_copy(ModelKind model) {
  Config c = for_memory(model);
  if (model == ModelKind::lstm) c.forget_bias = 5;  // about log(length)
  if (model != ModelKind::rnn) return c;
  // Only a rotation keeps ten symbols in a state without gates.
  c.hidden = 100;
  c.activation = spec::Activation::tanh;
  c.init = InitialValues::orthogonal;
  c.optimizer = Algorithm::muon;
  c.lr = 0.005;
  c.lr_others = 0.005;
  c.momentum = 0.9;
  c.beta2 = 0.99;
  return c;
}

/// Series of the user's own. Source: chosen on validation parts (docs/results.md).
Config for_series(const RecipeFor& what) {
  Config c;
  const bool label = what.task == data::Task::label, regress = what.task == data::Task::regress,
             classify = !label && !regress;
  c.model = what.model.value_or(label ? ModelKind::lstm : ModelKind::gru);
  c.hidden = regress ? 64 : 128;
  c.bidirectional = true;
  if (!label) c.readout = spec::Readout::mean_last;
  if (classify) c.conv_channels = 64;
  c.dropout = classify ? 0.5 : 0.3;
  if (!regress) c.label_smoothing = 0.1;  // without it the validation loss soon rises
  c.init = InitialValues::orthogonal;
  if (c.model == ModelKind::lstm) c.forget_bias = 1;
  if (c.model == ModelKind::rnn) c.activation = spec::Activation::tanh;
  c.optimizer = Algorithm::adamw;
  c.lr = regress ? 1e-3 : 2e-3;
  c.schedule = ScheduleKind::linear;
  c.clip_norm = 1;
  c.batch_size = 32;
  c.steps = 0;  // as many as the number of series needs
  c.eval_every = 50;
  c.patience = series_patience;
  return c;
}

/// Data sets with a recipe of their own, tuned. All others have those of images.
struct OwnRecipe {
  std::string_view dataset;
  Config (*tuned)(const RecipeFor&);
};
constexpr OwnRecipe kOwnRecipes[] = {
    {"adding",
     [](const RecipeFor& what) { return for_adding(what.model.value_or(ModelKind::gru)); }},
    {"copy", [](const RecipeFor& what) { return for_copy(what.model.value_or(ModelKind::rnn)); }}};

/// Null where the data set has none.
const OwnRecipe* own_recipe(std::string_view dataset) {
  static constexpr OwnRecipe kSeries = {"", for_series};
  if (data::source_traits(dataset).series) return &kSeries;
  const auto* const found = std::ranges::find(kOwnRecipes, dataset, &OwnRecipe::dataset);
  return found == std::end(kOwnRecipes) ? nullptr : found;
}

}  // namespace

bool has_recipe(std::string_view name, std::string_view dataset) {
  return own_recipe(dataset) ? name == "tuned"
                             : std::ranges::find(recipe_names, name) != std::end(recipe_names);
}

Config recipe(std::string_view name, const RecipeFor& what) {
  const OwnRecipe* own = own_recipe(what.dataset);
  if (!own) return for_images(name, what);
  if (!has_recipe(name, what.dataset))
    throw ValueError("recipe",
                     fmt::format("'{}' is for images, expected tuned for {}", name, what.dataset));
  Config c = own->tuned(what);
  c.recipe = name;
  c.dataset = what.dataset;
  return c;
}

Config recipe(std::string_view name, ModelKind model, std::optional<std::int64_t> layers,
              spec::Activation activation) {
  return recipe(name, {.model = model, .layers = layers, .activation = activation});
}

}  // namespace unroll::train
