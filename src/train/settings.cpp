// One row for each setting, and the conditions that rows name.
#include "train/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <span>

#include "core/printable.h"
#include "core/shards.h"
#include "data/catalogue.h"
#include "spec/cells.h"

namespace unroll::train {
namespace {

// ---- Ranges.

constexpr double kMany = 1LL << 40;
constexpr std::int64_t kMostLayers = 256, kMostShards = Shards::most;
constexpr Range kAtLeast0 = {.low = 0}, kAbove0 = {.low = 0, .above_low = true},
                kShare = {.low = 0, .high = 1, .below_high = true}, kCount = {0, kMany};

constexpr Range between(double low, double high) { return {low, high}; }

std::string outside(std::int64_t value, std::int64_t low, std::int64_t high) {
  return value >= low && value <= high
             ? ""
             : fmt::format("{}, expected a whole number from {} to {}", value, low, high);
}

// ---- Kinds of models.

/// This one and all that follow in the enumeration.
constexpr Names from(ModelKind first) { return ~(set_of({first}) - 1); }
constexpr Names kDeep = from(ModelKind::fnn), kRecurrent = from(ModelKind::rnn);

/// The recurrent models whose cells are so.
Names with_cell(bool (*is_so)(const spec::CellInfo&)) {
  Names models = 0;
  for (const spec::CellInfo& cell : spec::cells())
    if (const auto model = std::ranges::find(model_names, cell.name);
        is_so(cell) && model != std::end(model_names))
      models |= set_of({model - std::begin(model_names)});
  return models;
}

// ---- Settings that some data lacks.

using data::SourceTraits;

std::string_view no_pixels(const SourceTraits& t) { return t.pixels ? "" : "has no pixels"; }
std::string_view no_images(const SourceTraits& t) { return t.pixels ? "" : "has no images"; }
std::string_view no_epochs(const SourceTraits& t) {
  return t.endless ? "never ends and so has no epochs" : "";
}
std::string_view own_length(const SourceTraits& t) {
  return t.shortest_length > 0 ? "" : "has images of a fixed length";
}
std::string_view no_columns(const SourceTraits& t) {
  return t.series ? "" : "has no series of your own";
}
std::string_view no_validation(const SourceTraits& t) {
  return t.endless ? "never ends and so has no validation part" : "";
}
std::string_view own_readout(const SourceTraits& t) {
  return t.answers_every_step ? "has answers at several time steps" : "";
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

Choice recipe_choice() {
  const std::span<const std::string_view> all = recipe_names;
  return {{all.begin(), all.end()},
          [=](const Config& c) {
            return static_cast<std::size_t>(std::ranges::find(all, c.recipe) - all.begin());
          },
          [=](Config& c, std::size_t index) { c.recipe = all[index]; }};
}

constexpr std::string_view kShifts[] = {"none", "shift1", "shift2", "shift3", "shift4"};
constexpr std::string_view kRngs[] = {"native", "torch"};
constexpr std::string_view kDtypes[] = {"f32", "f64"};
constexpr std::string_view kPrecisions[] = {"full", "bf16"};

// ---- Faults of single settings; empty where there is none.

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
  else if (c.conv_channels > 0)
    with = "a convolution (--conv-channels) reads steps of the chunk before";
  else if (c.learn_initial_state)
    with = "no gradient reaches the start of a sequence, which --learn-initial-state needs";
  return with.empty() ? "" : fmt::format("{}; leave --tbptt or that out", with);
}

std::string shards_fault(const Config& c) {
  if (c.shards == 0 || std::has_single_bit(static_cast<std::uint64_t>(c.shards))) return "";
  return fmt::format(
      "{}, expected a power of two from 1 to {}, such as {}; leave it out for the "
      "number that fits the batch",
      c.shards, kMostShards, std::bit_floor(static_cast<std::uint64_t>(c.shards)));
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
  if (c.normalization) data::pixel_values(*c.normalization);
  return "";
}

std::string schedule_fault(const Config& c) {
  if (c.schedule != ScheduleKind::plateau || c.eval_every > 0) return "";
  return "plateau looks at the training loss at each evaluation; give --eval-every at least 1";
}

std::string gamma_fault(const Config& c) {
  if (c.schedule != ScheduleKind::plateau || c.gamma != 1) return "";
  return "1, expected a number below 1 for --schedule plateau";
}

/// A run's manifest lists their files, within the bounds of core/json.h.
std::string too_many(const std::vector<std::int64_t>& steps) {
  return steps.size() <= 1000 ? "" : fmt::format("{} steps, expected at most 1000", steps.size());
}

std::string restart_at_fault(const Config& c) {
  if (c.restart_at.empty()) return "";
  if (c.epochs > 0) return "with --epochs; give --steps instead of them";
  if (c.refit) return "with --refit, which trains twice; leave one of both out";
  if (c.steps == 0) return "without --steps; give both";
  std::int64_t before = 0;
  for (const std::int64_t step : c.restart_at) {
    if (step <= before || step >= c.steps)
      return fmt::format("{}, expected ascending steps from 1 to {}, before the last one",
                         fmt::join(c.restart_at, ","), c.steps - 1);
    before = step;
  }
  return too_many(c.restart_at);
}

std::string save_at_fault(const Config& c) {
  if (std::string text = too_many(c.save_at); !text.empty()) return text;
  for (const std::int64_t step : c.save_at)
    if (std::string text = outside(step, 1, static_cast<std::int64_t>(kMany)); !text.empty())
      return text;
  return "";
}

// ---- Settings that do nothing beside others.

/// Muon updates recurrent matrices; AdamW updates all else.
bool muon_has_no_matrix(const Config& c) {
  return c.optimizer == Algorithm::muon && !is_recurrent(c.model);
}

std::string idle_momentum(const Config& c) {
  return muon_has_no_matrix(c)
             ? fmt::format("with --optimizer muon and --model {}; leave it out, or use sgd",
                           name_of(c.model))
             : "";
}

std::string idle_lr(const Config& c) {
  return muon_has_no_matrix(c) && c.lr_others > 0
             ? fmt::format(
                   "with --optimizer muon, --lr-others and --model {}; leave it out, or "
                   "use adamw",
                   name_of(c.model))
             : "";
}

std::string stride_fault(const Config& c) {
  return c.stride == 0 || c.window > 0 ? "" : "without --window; give both";
}

std::string fold_fault(const Config& c) {
  if (c.folds == 1) return "1 of 1, expected --folds of at least 2, or 0 for none";
  return c.fold == 0 || c.fold < c.folds ? "" : outside(c.fold, 0, c.folds - 1);
}

std::string refit_fault(const Config& c) {
  return c.refit && c.patience == 0
             ? "without --patience, which finds the number of steps; give both"
             : "";
}

std::string leave_test_fault(const Config& c) {
  return c.leave_test && c.validate == data::no_part
             ? "without a validation part; give --validate, as in --validate 0.15"
             : "";
}

std::string patience_fault(const Config& c) {
  if (c.patience == 0) return "";
  // The patience of a recipe counts only with a validation part.
  const bool of_recipe = c.patience == series_patience && data::source_traits(c.dataset).series;
  if (of_recipe) return "";
  if (c.validate == data::no_part)
    return "without a validation part; give --validate, as in --validate 0.15";
  return c.eval_every > 0 ? "" : "counts evaluations; give --eval-every at least 1";
}

std::string idle_convolution(const Config& c) {
  return c.conv_channels == 0 ? "without --conv-channels; give both" : "";
}

std::string steps_fault(const Config& c) {
  const bool series = data::source_traits(c.dataset).series;
  return c.steps > 0 || series ? "" : outside(c.steps, 1, kMany);
}

std::string idle_steps(const Config& c) {
  return c.epochs > 0 ? "with --epochs; leave one of both out" : "";
}

// ---- Help.

std::string help_of_dataset() {
  return fmt::format(
      "Data set: {}, or a folder with its four files. Or a file of series: {}. Or a task: adding "
      "(sum of two marked numbers), copy (remember ten symbols)",
      fmt::join(data::known_set_names(), ", "), fmt::join(data::series_endings(), ", "));
}

}  // namespace

const std::vector<Setting>& settings() {
  using enum spec::Activation;
  using enum spec::Readout;
  using enum Group;
  using enum Algorithm;
  using C = Config;
  using S = ScheduleKind;
  static const Names with_memory = with_cell([](const auto& cell) { return cell.has_memory(); });
  static const Names with_gates =
      with_cell([](const auto& cell) { return cell.traits().gates > 1; });
  static const Names with_projection =
      with_cell([](const auto& cell) { return cell.has_projection; });
  static const Names with_forget_gate =
      with_cell([](const auto& cell) { return cell.forget_gate >= 0; });
  static const Names with_activation =
      set_of({ModelKind::fnn, ModelKind::cnn}) |
      with_cell([](const auto& cell) { return cell.has_nonlinearity(); });
  // key, member, group, help, rules, flag
  static const std::vector<Setting> all = {
      {"recipe", recipe_choice(), training,
       "Settings to begin with; --dry-run shows them. Tasks have only tuned"},
      {"dataset", &C::dataset, data, help_of_dataset(), Rules{.fault = dataset_fault}},
      {"length", &C::length, data, "Time steps to remember over (adding, copy)",
       Rules{.missing = own_length, .fault = length_fault}},
      {"task", all_of<data::Task>(&C::task, data::task_names), series,
       "What to learn: a class for each series, numbers, or a class at every step. A .ts file says "
       "it itself",
       Rules{.missing = no_columns}},
      {"target", &C::target, series, "Columns to predict; in tables it is needed",
       Rules{.missing = no_columns}},
      {"features", &C::features, series, "Columns to read. none: all columns without another role",
       Rules{.missing = no_columns}},
      {"ignore", &C::ignore, series, "Columns to leave out", Rules{.missing = no_columns}},
      {"series", &C::series, series, "Column that says which rows belong together",
       Rules{.missing = no_columns}},
      {"time", &C::time, series, "Column that orders the rows of a series",
       Rules{.missing = no_columns}},
      {"time_format", &C::time_format, series,
       "Form of the times, as in %d/%m/%Y. none: ISO 8601, or whole numbers",
       Rules{.missing = no_columns}},
      {"group", &C::group, series,
       "Column of what must stay in one part of the data: a subject, a machine",
       Rules{.missing = no_columns}},
      {"words", &C::words, series, "Column of words to read instead of numbers",
       Rules{.missing = no_columns}},
      {"vocabulary", &C::vocabulary, series, "Most words to know; the rest is one word, <unk>",
       Rules{.range = between(1, 1 << 20), .missing = no_columns}},
      {"wide", &C::wide, series, "A row is a series, and a column is a time step",
       Rules{.missing = no_columns}},
      {"window", &C::window, series, "Cut series into windows of N steps. 0: whole series",
       Rules{.range = kCount, .missing = no_columns}},
      {"stride", &C::stride, series, "Steps from window to window. 0: as long as a window",
       Rules{.range = kCount, .missing = no_columns, .fault = stride_fault}},
      {"missing", all_of<data::Missing>(&C::missing, data::missing_names), series,
       "Missing numbers: refuse, or fill with the mean or the value before, and mark them",
       Rules{.missing = no_columns}},
      {"log", &C::log, series,
       "Put numbers through sign(x) log(1 + |x|) before the scaling. It helps where sizes differ "
       "much",
       Rules{.missing = no_columns}},
      {"scale", all_of<data::Scale>(&C::scale, data::scale_names), series,
       "Scale columns to mean 0 and standard deviation 1 of the training part, or not",
       Rules{.missing = no_columns}},
      {"class_weights", all_of<data::ClassWeights>(&C::class_weights, data::class_weight_names),
       series, "Weights of the classes in the loss. balanced: rare classes count more",
       Rules{.missing = no_columns}},
      {"separator", &C::separator, series,
       "Character between the fields of a table, or tab. none: find it",
       Rules{.missing = no_columns}},
      {"decimal", &C::decimal, series, "Decimal point of numbers, as in 12,5. none: a point",
       Rules{.missing = no_columns}},
      {"no_header", &C::no_header, series,
       "The first line is data; columns are called 1, 2 and so on", Rules{.missing = no_columns}},
      {"validate", &C::validate, series,
       "Validation part: a file, a share as in 0.15, groups:7,8 or column:split=valid. none: no "
       "such "
       "part",
       Rules{.missing = no_validation}},
      {"test", &C::test, series, "Test part, as for --validate. auto: a file beside, or 0.2",
       Rules{.missing = no_columns}},
      {"split_seed", &C::split_seed, series, "Seed of the parts, apart from --seed",
       Rules{.missing = no_validation}},
      {"folds", &C::folds, series,
       "Cross-validation: as many runs, each with another test part. 0: none",
       Rules{.range = between(0, 1 << 16), .missing = no_columns}},
      {"fold", &C::fold, series, "The test part of this run, from 0",
       Rules{.range = kCount, .missing = no_columns, .fault = fold_fault}},
      {"model", all_of(&C::model, model_names), model,
       "Kind of model. The recipe of adding takes gru", Rules{.fault = model_fault}},
      {"hidden", &C::hidden, model,
       "Hidden units of a layer; channels of a cnn's first convolution",
       Rules{.range = between(1, 1 << 16), .only = {"model", kDeep}, .fault = hidden_fault}},
      {"layers", &C::layers, model, "Hidden layers; convolutions of a cnn",
       Rules{.range = between(1, kMostLayers), .models = kDeep, .fault = layers_fault}},
      {"activation", one_of(&C::activation, {relu, tanh, sigmoid}), model,
       "Activation of fnn, cnn and rnn (an rnn has no sigmoid)",
       Rules{.models = with_activation, .fault = activation_fault}},
      {"permute", &C::permute, data,
       "Put the pixels of all images in one random order. N is its seed, 0 if left out",
       Rules{.missing = no_pixels}},
      {"dropout", &C::dropout, regularisation, "Dropout between layers, also before the last one",
       Rules{.range = kShare, .models = kDeep}},
      {"input", one_of(&C::input, {spec::Form::rows, spec::Form::pixels}), data,
       "Read one pixel a time step (784 for MNIST) instead of one row",
       Rules{.models = kRecurrent, .missing = no_pixels}, "pixels"},
      {"readout", one_of(&C::readout, {last, mean, max, mean_last}), model,
       "Hidden state that the last layer reads; mean_last: mean and last side by side",
       Rules{.models = kRecurrent, .missing = own_readout}},
      {"bidirectional", &C::bidirectional, model,
       "Add a second direction that reads the sequence backwards. =off: leave it out",
       Rules{.models = kRecurrent}},
      {"layer_norm", &C::layer_norm, model, "Layer normalisation inside recurrent layers",
       Rules{.models = kRecurrent}},
      {"zoneout_h", &C::zoneout_h, regularisation,
       "Probability that a unit of the hidden state keeps its last value",
       Rules{.range = kShare, .models = kRecurrent}},
      {"zoneout_c", &C::zoneout_c, regularisation,
       "Probability that a unit of an lstm's cell state keeps its last value",
       Rules{.range = kShare, .models = with_memory}},
      {"variational_dropout", &C::variational_dropout, regularisation,
       "Dropout of inputs and hidden states with one mask for all time steps (Gal). With --tbptt "
       "each chunk has its mask. Kept values grow by 1/(1-NUMBER) at every time step, which harms "
       "a plain rnn",
       Rules{.range = kShare, .models = kRecurrent}},
      {"recurrent_dropout", &C::recurrent_dropout, regularisation,
       "Dropout of the candidate at every time step (Semeniuta; lstm, gru)",
       Rules{.range = kShare, .models = with_gates}},
      {"weight_drop", &C::weight_drop, regularisation,
       "Dropout of the weights from state to state, drawn anew for every update (Merity)",
       Rules{.range = kShare, .models = kRecurrent}},
      {"ar", &C::ar, regularisation, "Penalty on large hidden states: this times their mean square",
       Rules{.range = kAtLeast0, .models = kRecurrent}},
      {"tar", &C::tar, regularisation,
       "Penalty on changing hidden states: this times the mean square of their changes",
       Rules{.range = kAtLeast0, .models = kRecurrent}},
      {"learn_initial_state", &C::learn_initial_state, model,
       "Learn the initial state instead of starting from zeros", Rules{.models = kRecurrent}},
      {"proj_size", &C::proj_size, model,
       "Size to which an lstm projects its hidden state. 0: no projection",
       Rules{.models = with_projection, .fault = proj_size_fault}},
      {"forget_bias", &C::forget_bias, model,
       "First value of an lstm's forget bias. About log(T) helps to remember over T steps",
       Rules{.models = with_forget_gate}},
      {"tbptt", &C::tbptt, training,
       "Truncated back-propagation through time: read sequences in chunks of N steps. 0: whole "
       "sequences. The state goes on from chunk to chunk, gradients stop. The last chunk ends "
       "where the sequence does. Every chunk that holds an answer makes an update. An answer is "
       "at the last step, for copy at the last ten",
       Rules{.range = kCount, .models = kRecurrent, .fault = tbptt_fault}},
      {"init", all_of(&C::init, init_names), model,
       "First values of the weights. identity and orthogonal fill the matrices from state to "
       "state. xavier and kaiming fill every matrix, gate by gate",
       Rules{.fault = init_fault}},
      {"embedding", &C::embedding, model, "Size of a word's vector. 0: as --hidden",
       Rules{.range = between(0, 1 << 16), .missing = no_columns}},
      {"conv_channels", &C::conv_channels, model,
       "Channels of a causal convolution over time steps, with a ReLU, before the recurrent layer. "
       "0: none. It helps for long series of sensors",
       Rules{.range = between(0, 1 << 12), .models = kRecurrent}},
      {"conv_kernel", &C::conv_kernel, model,
       "Time steps that each output of the convolution reads",
       Rules{.range = between(1, 1 << 12), .models = kRecurrent, .idle = idle_convolution}},
      {"conv_stride", &C::conv_stride, model,
       "Time steps from one output of the convolution to the next. With N the recurrent layer "
       "makes "
       "N times fewer steps",
       Rules{.range = between(1, 1 << 12), .models = kRecurrent, .idle = idle_convolution}},
      {"init_from", &C::init_from, model, "Model whose weights come first: a run, or a file"},
      {"freeze", &C::freeze, training, "Weights that stay as they are: starts of their names"},
      {"loss", all_of(&C::loss, value_loss_names), training, "Loss of numbers",
       Rules{.missing = no_columns}},
      {"batch_size", &C::batch_size, training, "Samples per training step",
       Rules{.range = between(1, 1 << 20)}},
      {"shards", &C::shards, training,
       "Number of shards of a batch: 1, 2, 4 ... 1024. 0: by its rows. Each shard is summed alone, "
       "so another number gives other last bits",
       Rules{.range = between(0, kMostShards), .fault = shards_fault}},
      {"rows_at_once", &C::rows_at_once, training,
       "Walk each batch in parts of at most so many rows, in whole shards. 0: all rows. Results "
       "are "
       "the same for any number. Activations need less memory; inputs stay whole",
       Rules{.range = between(0, 1 << 20)}},
      {"steps", &C::steps, training,
       "Number of training steps. 0, for series: 2000; without a validation part at most 200 "
       "epochs. With --resume RUN: steps to add to a finished run",
       Rules{.range = kCount, .idle = idle_steps, .fault = steps_fault}},
      {"epochs", &C::epochs, training, "Passes through the training set, instead of --steps",
       Rules{.range = kCount, .missing = no_epochs}},
      {"restart_at", &C::restart_at, training,
       "Begin the schedule of the learning rate anew after these steps. --resume RUN --steps N "
       "does so",
       Rules{.fault = restart_at_fault}},
      {"augment", all_of(&C::augment, kShifts), regularisation,
       "Shift every training image at random, by up to so many pixels",
       Rules{.missing = no_images}},
      {"normalize", &C::normalization, data,
       "Subtract MEAN from pixels in [0,1] and divide by STD. none: leave them in [0,1]. auto: "
       "compute both from the training images, as tuned does for your own folder",
       Rules{.missing = no_pixels, .fault = normalization_fault}},
      {"optimizer", all_of(&C::optimizer, optimizer_names), training, "Optimizer"},
      {"lr", &C::lr, training, "Learning rate", Rules{.range = kAbove0, .idle = idle_lr}},
      {"lr_others", &C::lr_others, training,
       "AdamW's learning rate for all weights that muon does not update. 0: as --lr",
       Rules{.range = kAtLeast0, .only = {"optimizer", set_of({muon})}}},
      {"momentum", &C::momentum, training, "Momentum (sgd, muon)",
       Rules{.range = kShare, .only = {"optimizer", set_of({sgd, muon})}, .idle = idle_momentum}},
      {"beta2", &C::beta2, training,
       "Decay of the mean of squares (adam, adamw, muon); alpha of rmsprop",
       Rules{.range = kShare, .only = {"optimizer", set_of({adam, adamw, muon, rmsprop})}}},
      {"amsgrad", &C::amsgrad, training,
       "Divide by the largest mean of squares so far (Reddi; adam, adamw)",
       Rules{.only = {"optimizer", set_of({adam, adamw})}}},
      {"weight_decay", &C::weight_decay, regularisation, "Weight decay", Rules{.range = kAtLeast0}},
      {"label_smoothing", &C::label_smoothing, regularisation,
       "Share of each target that goes to all classes evenly. The loss of tests is without it",
       Rules{.range = kShare, .models = ~set_of({ModelKind::linear})}},
      {"clip_norm", &C::clip_norm, training, "Largest norm of the gradient. 0: no limit",
       Rules{.range = kAtLeast0}},
      {"schedule", all_of(&C::schedule, schedule_names), training,
       "Schedule of the learning rate. linear goes up, then down to 0. one-cycle goes up from 1/25 "
       "for three tenths of the steps, then down. plateau drops when the mean training loss "
       "between evaluations no longer falls",
       Rules{.fault = schedule_fault}},
      {"gamma", &C::gamma, training,
       "Factor on the learning rate: at each drop (step, plateau), or at every step (exponential). "
       "0: 0.1 at a drop; for exponential, 1/100 is left at the end",
       Rules{.range = between(0, 1),
             .only = {"schedule", set_of({S::step, S::exponential, S::plateau})},
             .fault = gamma_fault}},
      {"gamma_every", &C::gamma_every, training,
       "Steps between drops (step), or evaluations in a row without improvement (plateau). 0: a "
       "third of all steps, or 2 evaluations",
       Rules{.range = kCount, .only = {"schedule", set_of({S::step, S::plateau})}}},
      {"seed", &C::seed, run, "Seed of all random numbers"},
      {"rng", all_of(&C::rng, kRngs), run, "Random numbers: Unroll's own, or PyTorch's"},
      {"dtype", all_of(&C::dtype, kDtypes), run, "Type of all numbers"},
      {"precision", all_of(&C::precision, kPrecisions), run,
       "Precision of recurrent products. bf16 rounds their factors and needs AVX512_BF16",
       Rules{.models = kRecurrent}},
      {"threads", &C::threads, run,
       "Threads to use. 0: all cores this process may use. Results are the same for any number",
       Rules{.range = between(0, 1024)}},
      {"eval_every", &C::eval_every, output,
       "Steps between evaluations on the test set. 0: only at the end", Rules{.range = kCount}},
      {"patience", &C::patience, training,
       "Stop after N evaluations without a lower validation loss, and keep the best weights. 0: "
       "make all steps",
       Rules{.range = kCount, .missing = no_validation, .fault = patience_fault}},
      {"refit", &C::refit, training,
       "Train once more, with the validation part too, for as many steps as were best",
       Rules{.missing = no_validation, .fault = refit_fault}},
      {"leave_test", &C::leave_test, training,
       "Leave the test part unread: for runs that are compared by their validation part",
       Rules{.missing = no_validation, .fault = leave_test_fault}},
      {"save_at", &C::save_at, output, "Keep the weights after these steps, as in 1,10,100",
       Rules{.fault = save_at_fault}},
      {"tensorboard", &C::tensorboard, output,
       "Write an event file for TensorBoard into the run's folder"},
  };
  return all;
}

const Setting& setting_of(std::string_view key) {
  return *std::ranges::find(settings(), key, &Setting::key);
}

}  // namespace unroll::train
