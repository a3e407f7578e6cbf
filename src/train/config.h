// Everything that decides what a training run computes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/core/precision.h"
#include "unroll/core/random.h"
#include "unroll/data/loader.h"
#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll {
class Folder;
}

namespace unroll::train {

// Enumerations, with their values' names on the command line and in config.json.

enum class ModelKind {
  logistic,  // one linear layer, trained with cross-entropy
  linear,    // one linear layer, trained with squared errors
  fnn,       // linear layers with activations between them
  cnn,       // convolutions, each with an activation and pooling, and a linear layer
  rnn,       // this one and those that follow are recurrent
  lstm,
  gru,
};
inline constexpr std::string_view model_names[] = {"logistic", "linear", "fnn", "cnn",
                                                   "rnn",      "lstm",   "gru"};

enum class Algorithm { sgd, adam, adamw, muon, rmsprop, adagrad };
inline constexpr std::string_view optimizer_names[] = {"sgd",  "adam",    "adamw",
                                                       "muon", "rmsprop", "adagrad"};

enum class InitialValues {
  torch,       // as PyTorch's layers start
  identity,    // weight_hh the identity, the recurrent layer's biases 0
  orthogonal,  // weight_hh orthogonal
  xavier,      // every matrix, those of recurrent layers a gate at a time; biases as torch
  kaiming,     // the same
};
inline constexpr std::string_view init_names[] = {"torch", "identity", "orthogonal", "xavier",
                                                  "kaiming"};

enum class ScheduleKind { constant, linear, cosine, step, exponential, one_cycle, plateau };
inline constexpr std::string_view schedule_names[] = {"constant",    "linear",    "cosine", "step",
                                                      "exponential", "one-cycle", "plateau"};

constexpr std::string_view name_of(ModelKind m) { return model_names[static_cast<int>(m)]; }
constexpr std::string_view name_of(Algorithm a) { return optimizer_names[static_cast<int>(a)]; }
constexpr std::string_view name_of(InitialValues i) { return init_names[static_cast<int>(i)]; }
constexpr std::string_view name_of(ScheduleKind s) { return schedule_names[static_cast<int>(s)]; }

constexpr bool is_recurrent(ModelKind model) { return model >= ModelKind::rnn; }

/// All settings. Each has a row in the table of train/settings.cpp, which says what it is.
struct Config {
  std::string recipe = "tutorial";  // what the values below are
  std::string dataset = "mnist";    // a known name, a folder, or a task
  std::int64_t length = 100;        // of a task: over how many steps something is remembered

  ModelKind model = ModelKind::rnn;
  std::int64_t hidden = 100;  // units of a layer; channels of a cnn's first, the next have twice
  std::int64_t layers = 1;    // hidden ones, without the readout
  spec::Activation activation = spec::Activation::relu;
  std::optional<std::uint64_t> permute;  // the pixels' order, by its seed
  double dropout = 0;                    // of what each layer but the first reads

  // Of recurrent models.
  spec::Form input = spec::Form::rows;  // or pixels
  spec::Readout readout = spec::Readout::last;
  bool bidirectional = false;
  bool layer_norm = false;
  double zoneout_h = 0, zoneout_c = 0;
  // As in nn::RecurrentRegularisation and nn/activation_regularisation.h; only training sees them.
  double variational_dropout = 0;  // of input and state alike
  double recurrent_dropout = 0;    // of lstms and grus
  double weight_drop = 0;
  double ar = 0, tar = 0;  // factors of the penalties on the states that the readout sees
  bool learn_initial_state = false;
  std::int64_t proj_size = 0;  // of an lstm, as the next
  double forget_bias = 0;
  std::int64_t tbptt = 0;  // gradients flow back over chunks of so many steps; 0: over all

  InitialValues init = InitialValues::torch;

  std::int64_t batch_size = 100;
  std::int64_t steps = 3000;
  std::int64_t epochs = 0;  // where more than 0 it decides the steps
  int augment = 0;          // shift by up to so many pixels
  data::Normalization normalization;

  Algorithm optimizer = Algorithm::sgd;
  double lr = 0.1;
  double lr_others = 0;  // Muon: AdamW's rate for what is not a recurrent matrix
  double momentum = 0;   // SGD's and Muon's
  double beta2 = 0.999;  // Adam's and AdamW's; RMSprop's alpha
  bool amsgrad = false;  // Adam's and AdamW's
  double weight_decay = 0;
  double clip_norm = 0;  // 0: no clipping
  ScheduleKind schedule = ScheduleKind::constant;
  double gamma = 0;  // of step and plateau (0: 0.1), and exponential (0: 0.01 is left at the end)
  std::int64_t gamma_every = 0;  // of step: steps between its drops (0: a third of all); of
                                 // plateau: evaluations without improvement (0: 2)

  std::uint64_t seed = 0;
  Rng rng = Rng::native;
  DType dtype = DType::f32;
  Precision precision = Precision::full;
  int threads = 0;                    // 0: the cores there are; no influence on the result
  std::int64_t eval_every = 500;      // 0: only after the last step
  std::vector<std::int64_t> save_at;  // steps after which the weights are kept

  friend bool operator==(const Config&, const Config&);
};

inline constexpr std::string_view recipe_names[] = {"tuned", "sprint", "tutorial"};

/// What a recipe looks at.
struct RecipeFor {
  std::string_view dataset = "mnist";
  std::optional<ModelKind> model = {};      // the model that learns the data best, if not given
  std::optional<std::int64_t> layers = {};  // two for a cnn, else one, if not given
  spec::Activation activation = spec::Activation::relu;
};

/// The settings of a recipe: "tutorial", "tuned" or "sprint" for images, "tuned" for the tasks of
/// memory. Throws ValueError for another name.
Config recipe(std::string_view name, const RecipeFor& what = {});
/// The same for images.
Config recipe(std::string_view name, ModelKind model, std::optional<std::int64_t> layers = {},
              spec::Activation activation = spec::Activation::relu);

/// Throws ValueError naming the first setting outside its range, or that has no meaning for the
/// model.
void validate(const Config& config);

/// What a run was made from, as config.json tells it.
struct Provenance {
  std::string train_sha256, test_sha256;  // of images and labels together
  int numerics_revision = 0;
};

/// config.json: every setting, and where the run came from.
std::string to_json(const Config& config, const Provenance& provenance);

struct LoadedConfig {
  Config config;
  Provenance provenance;
};
/// Reads config.json. Throws FormatError for damage, ValueError for a key that is not known (the
/// nearest one is named) or a value outside its range.
LoadedConfig config_from_json(std::string_view text, const std::string& path);

/// The text of a config.json, of at most 1 MiB. Throws FileError.
std::string read_config(std::string_view operation, const std::string& path);
std::string read_config(std::string_view operation, const Folder& folder, const std::string& name);

/// "lr is 0.1 there, 0.5 here" for each setting in which `here` differs, but for the threads, which
/// change no bit.
std::vector<std::string> differences(const Config& there, const Config& here);

}  // namespace unroll::train
