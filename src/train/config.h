// All settings of a training run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/core/precision.h"
#include "unroll/core/random.h"
#include "unroll/data/loader.h"
#include "unroll/data/series_settings.h"
#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll {
class Folder;
}

namespace unroll::train {

// Enumerations, and their names on the command line and in config.json.

enum class ModelKind {
  logistic,  // one linear layer, trained with cross-entropy
  linear,    // one linear layer, trained with squared errors
  fnn,       // linear layers with activations between them
  cnn,       // convolutions, each with an activation and pooling, and a linear layer
  rnn,       // recurrent from here on
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
  xavier,      // every matrix, gate by gate; biases as torch
  kaiming,     // as xavier, with Kaiming's bound
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

/// The loss of a regression.
enum class ValueLoss { mse, mae, huber };
inline constexpr std::string_view value_loss_names[] = {"mse", "mae", "huber"};

/// All settings. The table in train/settings.cpp has a row for each, with its help and its rules.
struct Config : data::SeriesSettings {
  std::string recipe = "tutorial";  // of the default values below
  std::string dataset = "mnist";    // a known name, a folder, a task, or a file of series
  std::int64_t length = 100;        // time steps to remember over (tasks)

  ModelKind model = ModelKind::rnn;
  std::int64_t hidden = 100;  // units of a layer; channels of a cnn's first, doubled by each next
  std::int64_t layers = 1;    // hidden layers, without the readout
  spec::Activation activation = spec::Activation::relu;
  std::optional<std::uint64_t> permute;  // seed of the pixels' order
  double dropout = 0;                    // between layers, also before the last one

  // Recurrent models.
  spec::Form input = spec::Form::rows;  // or pixels
  spec::Readout readout = spec::Readout::last;
  bool bidirectional = false;
  bool layer_norm = false;
  double zoneout_h = 0, zoneout_c = 0;
  // As in nn::RecurrentRegularisation and nn/activation_regularisation.h; in training alone.
  double variational_dropout = 0;  // both input and state
  double recurrent_dropout = 0;    // lstm, gru
  double weight_drop = 0;
  double ar = 0, tar = 0;  // factors of the penalties on the states that the readout sees
  bool learn_initial_state = false;
  std::int64_t proj_size = 0;  // lstm
  double forget_bias = 0;      // lstm
  std::int64_t tbptt = 0;      // steps in a chunk of truncated back-propagation; 0: whole sequences

  InitialValues init = InitialValues::torch;
  std::int64_t embedding = 0;       // size of a token's vector; 0: as hidden
  std::int64_t conv_channels = 0;   // of a causal convolution before the recurrent layer; 0: none
  std::int64_t conv_kernel = 5;     // steps that each of its outputs reads
  std::int64_t conv_stride = 1;     // steps from one output to the next
  std::string init_from;            // a model whose weights come first; empty: none
  std::vector<std::string> freeze;  // starts of the names of weights that stay as they are
  ValueLoss loss = ValueLoss::mse;  // of numbers
  double label_smoothing = 0;       // share of the target for all classes, in training

  std::int64_t batch_size = 100;
  std::int64_t steps = 3000;             // 0: by the number of series, see settled()
  std::int64_t epochs = 0;               // above 0 it replaces the steps
  std::vector<std::int64_t> restart_at;  // steps after which the schedule begins anew
  int augment = 0;                       // shift by up to this many pixels
  std::int64_t shards = 0;  // parts of a batch whose sums are added; 0: by its rows (core/shards.h)
  std::int64_t rows_at_once = 0;  // of a batch; 0: all; the result does not depend on it
  /// Of pixels; nothing: computed from the training images, see settled().
  std::optional<data::Normalization> normalization = data::Normalization{};

  Algorithm optimizer = Algorithm::sgd;
  double lr = 0.1;
  double lr_others = 0;  // muon: AdamW's rate for all but recurrent matrices; 0: as lr
  double momentum = 0;   // sgd, muon
  double beta2 = 0.999;  // adam, adamw, muon; rmsprop's alpha
  bool amsgrad = false;  // adam, adamw
  double weight_decay = 0;
  double clip_norm = 0;  // 0: no clipping
  ScheduleKind schedule = ScheduleKind::constant;
  double gamma = 0;              // step, plateau (0: 0.1); exponential (0: 0.01 is left at the end)
  std::int64_t gamma_every = 0;  // step: steps between drops (0: a third of all); plateau:
                                 // evaluations without improvement (0: 2)

  std::uint64_t seed = 0;
  Rng rng = Rng::native;
  DType dtype = DType::f32;
  Precision precision = Precision::full;
  int threads = 0;                    // 0: all cores; the result does not depend on it
  std::int64_t eval_every = 500;      // 0: only after the last step
  std::int64_t patience = 0;          // evaluations without a better one until the end; 0: any
  bool refit = false;                 // train again, with the validation part too
  bool leave_test = false;            // the last evaluation is on the validation part, too
  std::vector<std::int64_t> save_at;  // the weights after these steps are kept
  bool tensorboard = false;           // the run has an event file for TensorBoard

  friend bool operator==(const Config&, const Config&);
};

inline constexpr std::string_view recipe_names[] = {"tuned", "sprint", "tutorial"};

/// The choices that a recipe's values depend on.
struct RecipeFor {
  std::string_view dataset = "mnist";
  std::optional<ModelKind> model = {};      // if not given: the one that learns the data best
  std::optional<std::int64_t> layers = {};  // if not given: two for a cnn, else one
  spec::Activation activation = spec::Activation::relu;
  data::Task task = data::Task::automatic;  // of series; automatic: as classify
};

/// The patience in the recipes of series, which counts only where there is a validation part.
inline constexpr std::int64_t series_patience = 10;

/// The settings of a recipe: "tuned", "sprint" or "tutorial" for images, "tuned" for the tasks of
/// memory and for series. Throws ValueError for another name.
Config recipe(std::string_view name, const RecipeFor& what = {});
/// The same for MNIST.
Config recipe(std::string_view name, ModelKind model, std::optional<std::int64_t> layers = {},
              spec::Activation activation = spec::Activation::relu);
/// Whether there is such a recipe for a data set.
bool has_recipe(std::string_view name, std::string_view dataset);

/// Stands for any folder with images of one's own.
inline constexpr std::string_view own_images = "";

/// Throws ValueError naming the first setting that is outside its range, or that model or data do
/// not have.
void validate(const Config& config);

/// The data and the program that a run was made with, as in config.json.
struct Provenance {
  std::string train_sha256, test_sha256;  // of images and labels together
  int numerics_revision = 0;
  std::int64_t classes = 10;           // of images; config.json leaves the usual number out
  std::string validation_sha256 = {};  // empty: no validation part
  std::string init_sha256 = {};        // of the file of Config::init_from
  std::string facts = {};              // Source::facts(): more members of the object "data"

  /// False for a config.json that was written by hand: any data will do.
  bool names_data() const { return !train_sha256.empty() || !test_sha256.empty(); }
};

/// config.json: every setting, and the run's provenance.
std::string to_json(const Config& config, const Provenance& provenance);

struct LoadedConfig {
  Config config;
  Provenance provenance;
};
/// Reads config.json. A setting that is missing has its default. If "numerics_revision" and "data"
/// are missing too, the file was written by hand, and the defaults are those of the recipe; else an
/// older program wrote it. Throws FormatError for damage. Throws ValueError for a value outside its
/// range and for an unknown key, with a suggestion.
LoadedConfig config_from_json(std::string_view text, const std::string& path);

/// The text of a config.json, of at most 1 MiB. Throws FileError.
std::string read_config(std::string_view operation, const std::string& path);
std::string read_config(std::string_view operation, const Folder& folder, const std::string& name);

/// "lr is 0.1 there, 0.5 here" for each setting that differs. Settings that change no bit are left
/// out.
std::vector<std::string> differences(const Config& there, const Config& here);

}  // namespace unroll::train
