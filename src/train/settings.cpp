// One row for each setting, and the conditions that rows name.
#include "train/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

#include "core/printable.h"
#include "core/suggest.h"
#include "spec/cells.h"

namespace unroll::train {
namespace {

// ---- Ranges.

constexpr double kMany = 1LL << 40;
constexpr std::int64_t kMostLayers = 256;
constexpr Range kAny, kAtLeast0 = {.low = 0}, kAbove0 = {.low = 0, .above_low = true},
                      kShare = {.low = 0, .high = 1, .below_high = true}, kCount = {0, kMany};

constexpr Range between(double low, double high) { return {low, high}; }

std::string outside(std::int64_t value, std::int64_t low, std::int64_t high) {
  return value >= low && value <= high
             ? ""
             : fmt::format("{}, expected a whole number from {} to {}", value, low, high);
}

// ---- Kinds of models.

constexpr Models only(ModelKind model) { return 1U << static_cast<unsigned>(model); }
/// This one and all that follow in the enumeration.
constexpr Models from(ModelKind first) { return ~(only(first) - 1); }
constexpr Models kEvery = ~0U, kDeep = from(ModelKind::fnn), kRecurrent = from(ModelKind::rnn),
                 kPlainActivation = only(ModelKind::fnn) | only(ModelKind::cnn);

/// The recurrent models whose cells are so.
Models with_cell(bool (*is_so)(const spec::CellInfo&)) {
  Models models = 0;
  for (const spec::CellInfo& cell : spec::cells())
    if (const auto model = std::ranges::find(model_names, cell.name);
        is_so(cell) && model != std::end(model_names))
      models |= only(static_cast<ModelKind>(model - std::begin(model_names)));
  return models;
}

// ---- What data has not.

using data::SourceTraits;

std::string_view no_pixels(const SourceTraits& t) { return t.pixels ? "" : "has no pixels"; }
std::string_view no_images(const SourceTraits& t) { return t.pixels ? "" : "has no images"; }
std::string_view no_epochs(const SourceTraits& t) {
  return t.endless ? "never ends, so that it has no epochs" : "";
}
std::string_view own_length(const SourceTraits& t) {
  return t.shortest_length > 0 ? "" : "has images of a length of their own";
}
std::string_view own_readout(const SourceTraits& t) {
  return t.answers_every_step ? "answers at every one of the last steps" : "";
}

// ---- Choices.

template <class E>
Choice all_of(E Config::*member, std::span<const std::string_view> names) {
  return {
      {names.begin(), names.end()},
      [=](const Config& c) { return std::min(static_cast<std::size_t>(c.*member), names.size()); },
      [=](Config& c, std::size_t index) { c.*member = static_cast<E>(index); }};
}

/// Some values of an enumeration of spec's, which has their names.
template <class E>
Choice one_of(E Config::*member, std::vector<E> values) {
  std::vector<std::string_view> names;
  for (const E value : values) names.push_back(spec::name_of(value));
  return {std::move(names),
          [=](const Config& c) {
            return static_cast<std::size_t>(std::ranges::find(values, c.*member) - values.begin());
          },
          [=](Config& c, std::size_t index) { c.*member = values[index]; }};
}

constexpr std::string_view kShifts[] = {"none", "shift1", "shift2", "shift3", "shift4"};
constexpr std::string_view kRngs[] = {"native", "torch"};
constexpr std::string_view kDtypes[] = {"f32", "f64"};
constexpr std::string_view kPrecisions[] = {"full", "bf16"};

// ---- Conditions of single settings: what is wrong, or nothing.

std::string recipe_fault(const Config& c) {
  if (std::ranges::find(recipe_names, c.recipe) != std::end(recipe_names)) return "";
  return fmt::format("{}, expected one of {}{}", c.recipe, fmt::join(recipe_names, ", "),
                     did_you_mean(c.recipe, recipe_names));
}

std::string dataset_fault(const Config& c) {
  if (is_utf8(c.dataset)) return "";
  return fmt::format("{}, expected a name in UTF-8, as config.json is; rename the folder",
                     in_quotes(c.dataset));
}

std::string length_fault(const Config& c) {
  const std::int64_t shortest = data::source_traits(c.dataset).shortest_length;
  return shortest > 0 ? outside(c.length, shortest, 1 << 20) : "";
}

std::string model_fault(const Config& c) {
  if (is_recurrent(c.model) || !data::source_traits(c.dataset).sequences_only) return "";
  return fmt::format("{}, expected {} for {}", name_of(c.model), spec::cell_names(), c.dataset);
}

std::string hidden_fault(const Config& c) {
  if (c.model == ModelKind::cnn) return outside(c.hidden, 1, 256);
  // Before any memory is asked for: weights, gradients and optimizer state are several times this.
  constexpr std::int64_t kMostWeights = 1 << 27;
  if (c.layers > kMostLayers || c.layers * c.hidden * c.hidden <= kMostWeights) return "";
  return fmt::format("{}, expected at most {} weights in all layers together", c.hidden,
                     kMostWeights);
}

std::string layers_fault(const Config& c) {
  return c.model == ModelKind::cnn ? outside(c.layers, 1, 8) : "";
}

std::string activation_fault(const Config& c) {
  const bool fine = c.model != ModelKind::rnn || c.activation != spec::Activation::sigmoid;
  return fine ? "" : "sigmoid, expected relu or tanh";
}

std::string recurrent_dropout_fault(const Config& c) {
  if (c.model != ModelKind::rnn || c.recurrent_dropout == 0) return "";
  return "it drops from the candidate of an lstm or a gru, which a model of kind rnn has not; use "
         "--variational-dropout, or --model lstm or gru";
}

std::string proj_size_fault(const Config& c) { return outside(c.proj_size, 0, c.hidden - 1); }

std::string tbptt_fault(const Config& c) {
  if (c.tbptt == 0) return "";
  std::string_view with;
  if (c.bidirectional)
    with =
        "the backward pass of --bidirectional starts at a sequence's end, but chunks are read "
        "from its start";
  else if (c.readout != spec::Readout::last)
    with = "--readout other than last reads the states of chunks that keep no gradient";
  else if (c.learn_initial_state)
    with = "no gradient reaches the start of a sequence, which --learn-initial-state needs";
  return with.empty() ? "" : fmt::format("{}; leave --tbptt or that out", with);
}

/// Identity and orthogonal are of matrices from state to state.
std::string init_fault(const Config& c) {
  const bool recurrent = is_recurrent(c.model);
  if ((c.init == InitialValues::orthogonal && !recurrent) ||
      (c.init == InitialValues::identity && c.model != ModelKind::rnn))
    return fmt::format("{}, expected torch{}, xavier or kaiming for a model of kind {}",
                       name_of(c.init), recurrent ? ", orthogonal" : "", name_of(c.model));
  return "";
}

std::string normalization_fault(const Config& c) {
  data::pixel_values(c.normalization);
  return "";
}

std::string amsgrad_fault(const Config& c) {
  if (!c.amsgrad || c.optimizer == Algorithm::adam || c.optimizer == Algorithm::adamw) return "";
  return fmt::format("{} has none; leave it out, or use --optimizer adam or adamw",
                     name_of(c.optimizer));
}

std::string only_for(const Config& c, std::string_view schedules) {
  return fmt::format("a {} schedule has none; leave it out, or use --schedule {}",
                     name_of(c.schedule), schedules);
}

std::string schedule_fault(const Config& c) {
  if (c.schedule != ScheduleKind::plateau || c.eval_every > 0) return "";
  return "plateau looks at the training loss at each evaluation; give --eval-every at least 1";
}

std::string gamma_fault(const Config& c) {
  const bool plateau = c.schedule == ScheduleKind::plateau;
  if (plateau && c.gamma == 1) return "1, expected a number below 1 for --schedule plateau";
  const bool fine = c.gamma == 0 || plateau || c.schedule == ScheduleKind::step ||
                    c.schedule == ScheduleKind::exponential;
  return fine ? "" : only_for(c, "plateau, step or exponential");
}

std::string gamma_every_fault(const Config& c) {
  const bool fine =
      c.gamma_every == 0 || c.schedule == ScheduleKind::step || c.schedule == ScheduleKind::plateau;
  return fine ? "" : only_for(c, "step or plateau");
}

std::string save_at_fault(const Config& c) {
  // A run's manifest lists them all, within the bounds of core/json.h.
  if (c.save_at.size() > 1000)
    return fmt::format("{} steps, expected at most 1000", c.save_at.size());
  for (const std::int64_t step : c.save_at)
    if (std::string text = outside(step, 1, static_cast<std::int64_t>(kMany)); !text.empty())
      return text;
  return "";
}

}  // namespace

const std::vector<Setting>& settings() {
  constexpr std::string_view kData = "Data", kModel = "Model", kSteps = "Recurrent models",
                             kTraining = "Training", kUpdate = "Optimizer and learning rate",
                             kRun = "Run";
  using enum spec::Activation;
  using enum spec::Readout;
  using C = Config;
  static const Models with_memory = with_cell([](const auto& cell) { return cell.has_memory(); });
  static const Models with_projection =
      with_cell([](const auto& cell) { return cell.has_projection; });
  static const Models with_forget_gate =
      with_cell([](const auto& cell) { return cell.forget_gate >= 0; });
  static const Models with_activation =
      kPlainActivation | with_cell([](const auto& cell) { return cell.has_nonlinearity(); });
  // key, member, group, help, range, models that have it, data that lacks it, other conditions,
  // flag
  static const std::vector<Setting> all = {
      {"recipe", &C::recipe, kTraining,
       "All settings to begin with: tuned (the default), sprint or tutorial; tasks: tuned alone",
       kAny, kEvery, nullptr, recipe_fault},
      {"dataset", &C::dataset, kData,
       "mnist, fashion-mnist, kmnist, or a folder with the four files; or a task without data: "
       "adding (the sum of two marked numbers) or copy (ten symbols, remembered)",
       kAny, kEvery, nullptr, dataset_fault},
      {"length", &C::length, kData, "Steps to remember over (adding, copy). Default 100", kAny,
       kEvery, own_length, length_fault},
      {"model", all_of(&C::model, model_names), kModel,
       "Kind of model: {}. Default rnn, for adding gru", kAny, kEvery, nullptr, model_fault},
      {"hidden", &C::hidden, kModel, "Hidden units; channels of a cnn's first convolution",
       between(1, 1 << 16), kEvery, nullptr, hidden_fault},
      {"layers", &C::layers, kModel, "Hidden layers", between(1, kMostLayers), kDeep, nullptr,
       layers_fault},
      {"activation", one_of(&C::activation, {relu, tanh, sigmoid}), kModel,
       "Activation of fnn, cnn and rnn: {} (an rnn has no sigmoid)", kAny, with_activation, nullptr,
       activation_fault},
      {"permute", &C::permute, kData,
       "Put the pixels of all images in one random order, given by this seed. "
       "Default of the seed: 0",
       kAny, kEvery, no_pixels},
      {"dropout", &C::dropout, kModel, "Dropout before every layer but the first. Default 0",
       kShare, kDeep},
      {"input", one_of(&C::input, {spec::Form::rows, spec::Form::pixels}), kSteps,
       "Read one pixel a step, 784 steps for MNIST, instead of one row", kAny, kRecurrent,
       no_pixels, nullptr, "pixels"},
      {"readout", one_of(&C::readout, {last, mean, max, mean_last}), kSteps,
       "What the last layer reads of all states: {}. Default last", kAny, kRecurrent, own_readout},
      {"bidirectional", &C::bidirectional, kSteps,
       "Add a second direction that reads the sequence backwards", kAny, kRecurrent},
      {"layer_norm", &C::layer_norm, kSteps, "Layer normalisation inside recurrent layers", kAny,
       kRecurrent},
      {"zoneout_h", &C::zoneout_h, kSteps, "Zoneout of the state h. Default 0", kShare, kRecurrent},
      {"zoneout_c", &C::zoneout_c, kSteps, "Zoneout of an lstm's c. Default 0", kShare,
       with_memory},
      {"variational_dropout", &C::variational_dropout, kSteps,
       "Dropout of inputs and states with one mask for all steps (Gal), or for a chunk with "
       "--tbptt. What stays grows by 1/(1-P) at each step, which a plain rnn takes badly. "
       "Default 0",
       kShare, kRecurrent},
      {"recurrent_dropout", &C::recurrent_dropout, kSteps,
       "Dropout of the candidate at each step (Semeniuta; lstm, gru). Default 0", kShare,
       kRecurrent, nullptr, recurrent_dropout_fault},
      {"weight_drop", &C::weight_drop, kSteps,
       "Dropout of the weights from state to state, drawn anew at each update (Merity). Default 0",
       kShare, kRecurrent},
      {"ar", &C::ar, kSteps, "Add the mean square of the states to the loss, times this. Default 0",
       kAtLeast0, kRecurrent},
      {"tar", &C::tar, kSteps,
       "Add the mean square of the differences between neighbouring states to the loss, times "
       "this. Default 0",
       kAtLeast0, kRecurrent},
      {"learn_initial_state", &C::learn_initial_state, kSteps,
       "Learn the initial state instead of starting from zeros", kAny, kRecurrent},
      {"proj_size", &C::proj_size, kSteps,
       "Size to which an lstm projects its state. Default 0: no projection", kAny, with_projection,
       nullptr, proj_size_fault},
      {"forget_bias", &C::forget_bias, kSteps,
       "First value of an lstm's forget bias: about log(T) to remember over T steps", kAny,
       with_forget_gate},
      {"tbptt", &C::tbptt, kSteps,
       "Truncated back-propagation through time: read sequences in chunks of this many steps. The "
       "state goes on from chunk to chunk, gradients stop. The last chunk ends where the sequence "
       "does. Each chunk that holds an answer makes an update: the last one, or those of copy's "
       "last ten steps. Default 0: whole sequences",
       kCount, kRecurrent, nullptr, tbptt_fault},
      {"init", all_of(&C::init, init_names), kModel,
       "First values of the weights: {}. identity and orthogonal fill the matrices from state "
       "to state, xavier and kaiming every matrix, a gate at a time",
       kAny, kEvery, nullptr, init_fault},
      {"batch_size", &C::batch_size, kTraining, "Samples per training step. Default 100",
       between(1, 1 << 20)},
      {"steps", &C::steps, kTraining, "Number of training steps", between(1, kMany)},
      {"epochs", &C::epochs, kTraining, "Passes through the training set, instead of --steps",
       kCount, kEvery, no_epochs},
      {"augment", all_of(&C::augment, kShifts), kData,
       "Move every training image at random, by up to so many pixels: {}", kAny, kEvery, no_images},
      {"normalize", &C::normalization, kData, "none (pixels in [0,1]) or MEAN,STD", kAny, kEvery,
       no_pixels, normalization_fault},
      {"optimizer", all_of(&C::optimizer, optimizer_names), kUpdate, "Optimizer: {}"},
      {"lr", &C::lr, kUpdate, "Learning rate", kAbove0},
      {"lr_others", &C::lr_others, kUpdate,
       "AdamW's learning rate for all that muon does not update. Default 0: as --lr", kAtLeast0},
      {"momentum", &C::momentum, kUpdate, "Momentum (sgd, muon). Default 0", kShare},
      {"beta2", &C::beta2, kUpdate,
       "Decay of the mean of squares: beta2 of adam and adamw, alpha of rmsprop", kShare},
      {"amsgrad", &C::amsgrad, kUpdate,
       "Divide by the largest mean of squares so far (Reddi; adam, adamw)", kAny, kEvery, nullptr,
       amsgrad_fault},
      {"weight_decay", &C::weight_decay, kUpdate, "Weight decay. Default 0", kAtLeast0},
      {"clip_norm", &C::clip_norm, kUpdate, "Largest norm of the gradient. 0: no limit", kAtLeast0},
      {"schedule", all_of(&C::schedule, schedule_names), kUpdate,
       "Schedule of the learning rate: {}. linear goes up, then down to 0; one-cycle goes up from "
       "1/25 for three tenths of the steps, then down; plateau drops when the mean training loss "
       "between evaluations no longer falls",
       kAny, kEvery, nullptr, schedule_fault},
      {"gamma", &C::gamma, kUpdate,
       "Factor on the learning rate: at each drop (step, plateau; 0: 0.1), or at every step "
       "(exponential; 0: so that 1/100 is left at the end)",
       between(0, 1), kEvery, nullptr, gamma_fault},
      {"gamma_every", &C::gamma_every, kUpdate,
       "When to drop: after so many steps (step; 0: a third of all), or so many evaluations in a "
       "row without improvement (plateau; 0: 2)",
       kCount, kEvery, nullptr, gamma_every_fault},
      {"seed", &C::seed, kRun, "Seed of all random numbers. Default 0"},
      {"rng", all_of(&C::rng, kRngs), kRun, "{}: Unroll's own random numbers, or PyTorch's"},
      {"dtype", all_of(&C::dtype, kDtypes), kRun, "Type of all numbers: {}. Default f32"},
      {"precision", all_of(&C::precision, kPrecisions), kRun,
       "Precision of recurrent products: {}. Default full. bf16 rounds what is multiplied, and "
       "needs AVX512_BF16",
       kAny, kRecurrent},
      {"threads", &C::threads, kRun,
       "Threads to use. Default 0: all cores this process may use. Results are the same for "
       "any number",
       between(0, 1024)},
      {"eval_every", &C::eval_every, kRun,
       "Steps between evaluations on the test set. 0: only at the end", kCount},
      {"save_at", &C::save_at, kRun, "Keep the weights after these steps, for example 1,10,100",
       kAny, kEvery, nullptr, save_at_fault},
  };
  return all;
}

}  // namespace unroll::train
