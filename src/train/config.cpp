#include "train/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/printable.h"
#include "core/suggest.h"
#include "train/config_names.h"
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

void check_rate(std::string_view setting, double value) {
  check(value >= 0 && value < 1, setting, fmt::format("{}", value), "a number from 0 to below 1");
}

/// Identity and orthogonal are of matrices from state to state.
void check_init(const Config& c) {
  const bool recurrent = is_recurrent(c.model);
  const bool fine = c.init == InitialValues::torch || c.init == InitialValues::kaiming ||
                    c.init == InitialValues::xavier ||
                    (c.init == InitialValues::orthogonal && recurrent) ||
                    (c.init == InitialValues::identity && c.model == ModelKind::rnn);
  check(fine, "init", std::string(name_of(c.init)),
        fmt::format("torch{}, xavier or kaiming for a model of kind {}",
                    recurrent ? ", orthogonal" : "", name_of(c.model)));
}

/// A setting that the model does not have must be as if nobody had given it.
void check_meaning(const Config& c) {
  const Config none;
  const auto need = [&](bool has, bool given, std::string_view setting) {
    if (!has && given)
      throw ValueError(setting,
                       fmt::format("a model of kind {} has none; leave it out", name_of(c.model)));
  };
  const bool recurrent = is_recurrent(c.model), lstm = c.model == ModelKind::lstm;
  const bool deep = c.model != ModelKind::logistic && c.model != ModelKind::linear;
  need(deep && !lstm && c.model != ModelKind::gru, c.activation != none.activation, "activation");
  need(deep, c.layers != none.layers, "layers");
  need(deep, c.dropout != none.dropout, "dropout");
  need(recurrent, c.input != none.input, "pixels");
  need(recurrent, c.readout != none.readout, "readout");
  need(recurrent, c.bidirectional, "bidirectional");
  need(recurrent, c.layer_norm, "layer-norm");
  need(recurrent, c.zoneout_h != 0, "zoneout-h");
  need(lstm, c.zoneout_c != 0, "zoneout-c");
  need(recurrent, c.variational_dropout != 0, "variational-dropout");
  need(recurrent, c.recurrent_dropout != 0, "recurrent-dropout");
  need(recurrent, c.weight_drop != 0, "weight-drop");
  need(recurrent, c.ar != 0, "ar");
  need(recurrent, c.tar != 0, "tar");
  need(recurrent, c.learn_initial_state, "learn-initial-state");
  need(lstm, c.proj_size != 0, "proj-size");
  need(lstm, c.forget_bias != 0, "forget-bias");
  need(recurrent, c.precision != Precision::full, "precision");
  need(recurrent, c.tbptt != 0, "tbptt");
  if (c.model == ModelKind::rnn && c.recurrent_dropout != 0)
    throw ValueError("recurrent-dropout",
                     "it drops from the candidate of an lstm or a gru, which a model of kind rnn "
                     "has not; use --variational-dropout, or --model lstm or gru");
  if (c.model == ModelKind::rnn)
    check(c.activation != spec::Activation::sigmoid, "activation", "sigmoid", "relu or tanh");
  if (recurrent) {
    check(c.input == spec::Form::rows || c.input == spec::Form::pixels, "input",
          std::string(name_of(c.input)), "rows or pixels");
    check(c.readout != spec::Readout::every_step, "readout", "every_step",
          "last, mean, max or mean_last");
  }
  check_init(c);
}

/// The same for what is trained on: images, or sequences of a task.
void check_data(const Config& c) {
  const Config none;
  check(is_utf8(c.dataset), "dataset", in_quotes(c.dataset),
        "a name in UTF-8, as config.json is; rename the folder");
  const auto task = find_task(c.dataset);
  const auto refuse = [&](bool given, std::string_view setting, const char* why) {
    if (given) throw ValueError(setting, fmt::format("{} {}; leave it out", c.dataset, why));
  };
  if (!task) {
    refuse(c.length != none.length, "length", "has images of a length of their own");
    return;
  }
  check(is_recurrent(c.model), "model", std::string(name_of(c.model)),
        fmt::format("rnn, lstm or gru for {}", c.dataset));
  check_count("length", c.length, *task == Task::adding ? 2 : 1, 1 << 20);
  refuse(c.permute.has_value(), "permute", "has no pixels");
  refuse(c.input != none.input, "pixels", "has no pixels");
  refuse(c.augment != 0, "augment", "has no images");
  refuse(c.normalization.mean != 0 || c.normalization.std != 1, "normalize", "has no pixels");
  refuse(c.epochs != 0, "epochs", "never ends, so that it has no epochs");
  refuse(*task == Task::copy && c.readout != none.readout, "readout",
         "answers at every one of the last steps");
}

/// What the optimizer and the schedule have not.
void check_updates(const Config& c) {
  const bool adam = c.optimizer == Algorithm::adam || c.optimizer == Algorithm::adamw;
  if (c.amsgrad && !adam)
    throw ValueError("amsgrad", fmt::format("{} has none; leave it out, or use --optimizer adam or "
                                            "adamw",
                                            name_of(c.optimizer)));
  check(c.gamma >= 0 && c.gamma <= 1, "gamma", fmt::format("{}", c.gamma), "a number from 0 to 1");
  check_count("gamma-every", c.gamma_every, 0, std::int64_t{1} << 40);
  const bool step = c.schedule == ScheduleKind::step;
  const auto refuse = [&](bool given, std::string_view setting, const char* with) {
    if (given)
      throw ValueError(setting, fmt::format("a {} schedule has none; leave it out, or use "
                                            "--schedule {}",
                                            name_of(c.schedule), with));
  };
  refuse(!step && c.schedule != ScheduleKind::exponential && c.gamma != 0, "gamma",
         "step or exponential");
  refuse(!step && c.gamma_every != 0, "gamma-every", "step");
}

/// What truncated back-propagation through time can't be combined with.
void check_tbptt(const Config& c) {
  check_count("tbptt", c.tbptt, 0, std::int64_t{1} << 40);
  if (c.tbptt == 0) return;
  const auto refuse = [](bool given, const char* what) {
    if (given) throw ValueError("tbptt", fmt::format("{}; leave --tbptt or that out", what));
  };
  refuse(c.bidirectional,
         "the backward pass of --bidirectional starts at a sequence's end, but "
         "chunks are read from its start");
  refuse(c.readout != spec::Readout::last,
         "--readout other than last reads the states of chunks "
         "that keep no gradient");
  refuse(c.learn_initial_state,
         "no gradient reaches the start of a sequence, which "
         "--learn-initial-state needs");
}

}  // namespace

std::string_view name_of(Task task) { return task_names[static_cast<std::size_t>(task)]; }

std::optional<Task> find_task(std::string_view dataset) {
  const auto found = std::ranges::find(task_names, dataset);
  if (found == std::end(task_names)) return std::nullopt;
  return static_cast<Task>(found - std::begin(task_names));
}

bool is_recurrent(ModelKind model) { return model >= ModelKind::rnn; }

bool operator==(const Config& a, const Config& b) { return to_json(a, {}) == to_json(b, {}); }

void validate(const Config& c) {
  constexpr std::int64_t kMany = std::int64_t{1} << 40, kMostWeights = std::int64_t{1} << 27;
  check(std::ranges::find(recipe_names, c.recipe) != std::end(recipe_names), "recipe", c.recipe,
        fmt::format("one of {}{}", fmt::join(recipe_names, ", "),
                    did_you_mean(c.recipe, recipe_names)));
  check_count("hidden", c.hidden, 1, 1 << 16);
  const bool cnn = c.model == ModelKind::cnn;
  check_count("layers", c.layers, 1, cnn ? 8 : 256);
  if (cnn) check_count("hidden", c.hidden, 1, 256);
  // Before any memory is asked for: weights, gradients and optimizer state are several times this.
  if (!cnn)
    check(c.layers * c.hidden * c.hidden <= kMostWeights, "hidden", fmt::format("{}", c.hidden),
          fmt::format("at most {} weights in all layers together", kMostWeights));
  check_rate("dropout", c.dropout);
  check_rate("zoneout-h", c.zoneout_h);
  check_rate("zoneout-c", c.zoneout_c);
  check_rate("variational-dropout", c.variational_dropout);
  check_rate("recurrent-dropout", c.recurrent_dropout);
  check_rate("weight-drop", c.weight_drop);
  check_real("ar", c.ar, true);
  check_real("tar", c.tar, true);
  check_count("proj-size", c.proj_size, 0, c.hidden - 1);
  check(std::isfinite(c.forget_bias), "forget-bias", fmt::format("{}", c.forget_bias),
        "a finite number");
  check_data(c);
  check_meaning(c);
  check_tbptt(c);
  check_updates(c);
  check_count("batch-size", c.batch_size, 1, 1 << 20);
  check_count("steps", c.steps, 1, kMany);
  check_count("epochs", c.epochs, 0, kMany);
  check_count("augment", c.augment, 0, 4);
  check_count("threads", c.threads, 0, 1024);
  check_count("eval-every", c.eval_every, 0, kMany);
  // A run's manifest lists them all, within the bounds of core/json.h.
  check(c.save_at.size() <= 1000, "save-at", fmt::format("{} steps", c.save_at.size()),
        "at most 1000");
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
