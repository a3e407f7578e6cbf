#include "app/train_flags.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <memory>

#include "app/model_source.h"
#include "app/verbs.h"
#include "train/config_names.h"
#include "unroll/spec/model_spec.h"

namespace unroll::app {

using train::Config;

namespace {

// CLI11 would take -1 for the largest number.
std::uint64_t parse_seed(const char* flag, const std::string& text) {
  std::uint64_t seed = 0;
  const char* end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data(), end, seed);
  if (error != std::errc() || after != end)
    throw UsageError(fmt::format("{} {}, expected a whole number from 0 to {}", flag, text,
                                 std::numeric_limits<std::uint64_t>::max()));
  return seed;
}

}  // namespace

template <class T>
CLI::Option* TrainFlags::add(CLI::App& verb, const char* name, const char* help,
                             std::function<void(Config&, const T&)> apply) {
  const auto value = std::make_shared<std::optional<T>>();
  changes_.push_back([value, apply](Config& config) {
    if (*value) apply(config, **value);
  });
  return verb.add_option(name, *value, help);
}

void TrainFlags::add_to(CLI::App& verb) {
  verb.add_option(
      "dataset", dataset_,
      "mnist, fashion-mnist, kmnist, or a folder with the four files; or a task without data: "
      "adding (the sum of two marked numbers) or copy (ten symbols, remembered)");
  verb.add_option("--recipe", recipe_, "tuned (the default), sprint or tutorial; tasks: tuned");
  verb.add_option("--config", config_file_, "config.json of a run, to repeat it");
  verb.add_option("--steps", steps_, "Updates to make");
  verb.add_option("--epochs", epochs_, "Passes through the training set, instead of --steps");

  using Text = std::string;
  using Whole = std::int64_t;
  const auto number = [&](const char* name, const char* help, double Config::*member) {
    add<double>(verb, name, help, [=](Config& c, double v) { c.*member = v; });
  };
  const auto whole = [&](const char* name, const char* help, Whole Config::*member) {
    add<Whole>(verb, name, help, [=](Config& c, Whole v) { c.*member = v; });
  };
  const auto yes = [&](const char* name, const char* help, bool Config::*member) {
    const auto given = std::make_shared<bool>(false);
    verb.add_flag(name, *given, help);
    changes_.push_back([=](Config& config) {
      if (*given) config.*member = true;
    });
  };
  verb.add_option(
      "--model", model_,
      "logistic, linear, fnn, cnn, rnn (the default), lstm or gru (the default of adding)");
  whole("--length", "Of adding and copy: how many steps to remember over; 100 if left out",
        &Config::length);
  whole("--hidden", "Hidden units; channels of a cnn's first convolution", &Config::hidden);
  whole("--layers", "Hidden layers", &Config::layers);
  add<Text>(verb, "--activation", "relu or tanh; sigmoid too, but for rnn",
            [](Config& c, const Text& v) { c.activation = spec::activation_named(v); });
  number("--dropout", "Of what each layer but the first reads", &Config::dropout);
  const auto pixels = std::make_shared<bool>(false);
  verb.add_flag("--pixels", *pixels, "A recurrent model reads one pixel a step, 784 of MNIST's");
  changes_.push_back([=](Config& config) {
    if (*pixels) config.input = spec::Form::pixels;
  });
  add<Text>(
      verb, "--permute",
      "Put the pixels in a fixed random order, given by this seed (0 if left out), of "
      "training and test images alike",
      [](Config& c, const Text& v) { c.permute = v.empty() ? 0 : parse_seed("--permute", v); })
      ->expected(0, 1);
  add<Text>(verb, "--readout", "last, mean, max or mean_last: what a recurrent model reads off",
            [](Config& c, const Text& v) { c.readout = spec::readout_named(v); });
  yes("--bidirectional", "Also from the last step to the first", &Config::bidirectional);
  yes("--layer-norm", "Layer normalisation inside recurrent layers", &Config::layer_norm);
  number("--zoneout-h", "Zoneout of the state h", &Config::zoneout_h);
  number("--zoneout-c", "Zoneout of an lstm's c", &Config::zoneout_c);
  number("--variational-dropout",
         "Of the input and the state of recurrent layers: one mask for all steps (Gal), of a chunk "
         "with --tbptt. What stays grows by 1/(1-P) at each, which a plain rnn takes badly",
         &Config::variational_dropout);
  number("--recurrent-dropout", "Of the candidate of an lstm or a gru, at each step (Semeniuta)",
         &Config::recurrent_dropout);
  number("--weight-drop", "Of the weights from state to state, anew at each update (Merity)",
         &Config::weight_drop);
  number("--ar", "Add so many times the mean square of a recurrent model's states to the loss",
         &Config::ar);
  number("--tar", "The same of the differences between neighbouring states", &Config::tar);
  yes("--learn-initial-state", "Initial states are learnt", &Config::learn_initial_state);
  whole("--proj-size", "An lstm's projection; 0: none", &Config::proj_size);
  number("--forget-bias", "An lstm's, at first: about log(T) to remember over T steps",
         &Config::forget_bias);
  whole("--tbptt",
        "Truncated back-propagation through time: sequences are read in chunks of so many steps "
        "that end where the sequence does; the state goes on, gradients stop. An update for each "
        "chunk with an answer in it: the last alone, or those of copy's last ten steps",
        &Config::tbptt);
  add<Text>(
      verb, "--init",
      "torch; identity or orthogonal (from state to state); xavier or kaiming (every matrix, a "
      "gate at a time)",
      [](Config& c, const Text& v) { c.init = train::initial_values_named(v); });
  whole("--batch-size", "Images, or sequences, in a step", &Config::batch_size);
  add<Text>(verb, "--augment", "none, or shift1: move every image by up to 1 pixel",
            [](Config& c, const Text& v) { c.augment = train::augment_named(v); });
  add<Text>(verb, "--normalize", "none (pixels in [0,1]) or MEAN,STD",
            [](Config& c, const Text& v) { c.normalization = parse_normalization(v); });
  add<Text>(verb, "--optimizer", "sgd, adam, adamw, muon, rmsprop or adagrad",
            [](Config& c, const Text& v) { c.optimizer = train::algorithm_named(v); });
  number("--lr", "Learning rate", &Config::lr);
  number("--lr-others", "With muon: AdamW's rate for what is no recurrent matrix (0: as --lr)",
         &Config::lr_others);
  number("--momentum", "Of sgd and muon", &Config::momentum);
  number("--beta2", "Of adam and adamw; alpha of rmsprop", &Config::beta2);
  yes("--amsgrad", "Adam and adamw divide by the largest mean square so far (Reddi)",
      &Config::amsgrad);
  number("--weight-decay", "Of every optimizer; 0 if left out", &Config::weight_decay);
  number("--clip-norm", "Largest norm of the gradient; 0: no limit", &Config::clip_norm);
  add<Text>(
      verb, "--schedule",
      "Of the learning rate: constant, linear (up, then down to 0), cosine, step, exponential "
      "or one-cycle (up from 1/25 for three tenths of the steps, then down)",
      [](Config& c, const Text& v) { c.schedule = train::schedule_named(v); });
  number("--gamma",
         "What step multiplies the rate with at each of its drops (0: 0.1), exponential at every "
         "step (0: so that 1/100 is left in the end)",
         &Config::gamma);
  whole("--gamma-every", "Steps from one drop of step to the next; 0: a third of all",
        &Config::gamma_every);
  add<Text>(verb, "--seed", "", [](Config& c, const Text& v) { c.seed = parse_seed("--seed", v); });
  add<Text>(verb, "--rng", "native, or torch: PyTorch's random numbers",
            [](Config& c, const Text& v) { c.rng = train::rng_named(v); });
  add<Text>(verb, "--dtype", "f32 or f64",
            [](Config& c, const Text& v) { c.dtype = train::dtype_named(v); });
  add<Text>(verb, "--precision", "full, or bf16: round what is multiplied (needs AVX512_BF16)",
            [](Config& c, const Text& v) { c.precision = train::precision_named(v); });
  add<int>(verb, "--threads", "0: the cores allowed here; the result does not depend on it",
           [](Config& c, int v) { c.threads = v; });
  whole("--eval-every", "Test after so many steps; 0: only at the end", &Config::eval_every);
  add<Text>(verb, "--save-at", "Keep the weights after these steps, for example 1,10,100",
            [](Config& c, const Text& v) { c.save_at = train::steps_named(v); });
}

void TrainFlags::change(Config& config) const {
  if (steps_ && epochs_) throw UsageError("--steps and --epochs exclude each other; give one");
  if (dataset_) config.dataset = *dataset_;
  for (const auto& change : changes_) change(config);
  if (steps_) {
    config.steps = *steps_;
    config.epochs = 0;
  }
  if (epochs_) {
    if (*epochs_ < 1) throw UsageError(fmt::format("--epochs {}, expected at least 1", *epochs_));
    config.epochs = *epochs_;
  }
}

Config TrainFlags::beside(Config run) const {
  if (config_file_)
    throw UsageError("--resume takes the settings from the run's own folder; leave --config out");
  if (recipe_) run.recipe = *recipe_;
  if (model_) run.model = train::model_named(*model_);
  change(run);
  return run;
}

TrainFlags::Result TrainFlags::resolve() const {
  Result result;
  if (config_file_ && recipe_)
    throw UsageError("--config and --recipe both choose all settings; give one of them");
  if (config_file_ && model_)
    throw UsageError("--config says what the model is; leave --model out");
  if (config_file_) {
    train::LoadedConfig loaded =
        train::config_from_json(train::read_config("config", *config_file_), *config_file_);
    result.config = std::move(loaded.config);
    result.provenance = std::move(loaded.provenance);
    result.other_data = dataset_ && *dataset_ != result.config.dataset;
  } else {
    const auto task = train::find_task(dataset_.value_or(""));
    const auto usual = task ? train::usual_model(*task) : train::ModelKind::rnn;
    const auto model = model_ ? train::model_named(*model_) : usual;
    const std::string name = recipe_.value_or("tuned");
    result.config = task ? train::task_recipe(*task, name, model) : train::recipe(name, model);
    if (!task) {
      // A recipe looks at depth and activation, which the flags may change.
      train::Config wanted = result.config;
      for (const auto& change : changes_) change(wanted);
      result.config = train::recipe(name, model, wanted.layers, wanted.activation);
    }
  }
  change(result.config);
  train::validate(result.config);
  return result;
}

}  // namespace unroll::app
