#include "app/train_flags.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <memory>

#include "app/model_source.h"
#include "app/verbs.h"
#include "core/file.h"
#include "train/config_names.h"
#include "unroll/spec/model_spec.h"

namespace unroll::app {

using train::Config;

namespace {

// CLI11 would take -1 for the largest number.
std::uint64_t parse_seed(const std::string& text) {
  std::uint64_t seed = 0;
  const char* end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data(), end, seed);
  if (error != std::errc() || after != end)
    throw UsageError(fmt::format("--seed {}, expected a whole number from 0 to {}", text,
                                 std::numeric_limits<std::uint64_t>::max()));
  return seed;
}

}  // namespace

template <class T>
void TrainFlags::add(CLI::App& verb, const char* name, const char* help,
                     std::function<void(Config&, const T&)> apply) {
  const auto value = std::make_shared<std::optional<T>>();
  verb.add_option(name, *value, help);
  changes_.push_back([value, apply](Config& config) {
    if (*value) apply(config, **value);
  });
}

void TrainFlags::add_to(CLI::App& verb) {
  verb.add_option("dataset", dataset_, "mnist, fashion-mnist, or a folder with the four files");
  verb.add_option("--recipe", recipe_, "tuned (the default), sprint or tutorial");
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
  add<Text>(verb, "--model", "rnn", [](Config& c, const Text& v) { c.model = v; });
  whole("--hidden", "Hidden units", &Config::hidden);
  whole("--layers", "Recurrent layers", &Config::layers);
  add<Text>(verb, "--activation", "relu or tanh",
            [](Config& c, const Text& v) { c.activation = spec::nonlinearity_named(v); });
  add<Text>(verb, "--init", "torch, identity or orthogonal",
            [](Config& c, const Text& v) { c.init = train::initial_values_named(v); });
  whole("--batch-size", "Images in a step", &Config::batch_size);
  add<Text>(verb, "--augment", "none, or shift1: move every image by up to 1 pixel",
            [](Config& c, const Text& v) { c.augment = train::augment_named(v); });
  add<Text>(verb, "--normalize", "none (pixels in [0,1]) or MEAN,STD",
            [](Config& c, const Text& v) { c.normalization = parse_normalization(v); });
  add<Text>(verb, "--optimizer", "sgd, adam, adamw or muon",
            [](Config& c, const Text& v) { c.optimizer = train::algorithm_named(v); });
  number("--lr", "Learning rate", &Config::lr);
  number("--lr-others", "With muon: AdamW's rate for what is no recurrent matrix (0: as --lr)",
         &Config::lr_others);
  number("--momentum", "Of sgd and muon", &Config::momentum);
  number("--beta2", "Of adam and adamw", &Config::beta2);
  number("--weight-decay", "Of every optimizer; 0 if left out", &Config::weight_decay);
  number("--clip-norm", "Largest norm of the gradient; 0: no limit", &Config::clip_norm);
  add<Text>(verb, "--schedule", "constant, linear (up, then down to 0) or cosine",
            [](Config& c, const Text& v) { c.schedule = train::schedule_named(v); });
  add<Text>(verb, "--seed", "", [](Config& c, const Text& v) { c.seed = parse_seed(v); });
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

TrainFlags::Result TrainFlags::resolve() const {
  Result result;
  if (config_file_ && recipe_)
    throw UsageError("--config and --recipe both choose all settings; give one of them");
  if (steps_ && epochs_) throw UsageError("--steps and --epochs exclude each other; give one");
  if (config_file_) {
    constexpr std::uint64_t kLargest = 1 << 20;
    const auto bytes = read_file("config", *config_file_, kLargest);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    train::LoadedConfig loaded = train::config_from_json(text, *config_file_);
    result.config = std::move(loaded.config);
    result.provenance = std::move(loaded.provenance);
    result.other_data = dataset_ && *dataset_ != result.config.dataset;
  } else {
    result.config = train::recipe(recipe_.value_or("tuned"));
  }
  if (dataset_) result.config.dataset = *dataset_;
  for (const auto& change : changes_) change(result.config);
  if (steps_) {
    result.config.steps = *steps_;
    result.config.epochs = 0;
  }
  if (epochs_) {
    if (*epochs_ < 1) throw UsageError(fmt::format("--epochs {}, expected at least 1", *epochs_));
    result.config.epochs = *epochs_;
  }
  train::validate(result.config);
  return result;
}

}  // namespace unroll::app
