// Everything that decides what a training run computes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/core/nonlinearity.h"
#include "unroll/core/precision.h"
#include "unroll/core/random.h"
#include "unroll/data/loader.h"
#include "unroll/tensor/tensor.h"

namespace unroll::train {

enum class Algorithm { sgd, adam, adamw, muon };
enum class InitialValues {
  torch,       // as PyTorch's layers start
  identity,    // weight_hh the identity, the recurrent layer's biases 0
  orthogonal,  // weight_hh orthogonal
};
enum class ScheduleKind { constant, linear, cosine };

struct Config {
  std::string recipe = "tutorial";  // what the values below are
  std::string dataset = "mnist";    // a known name or a folder

  std::string model = "rnn";
  std::int64_t hidden = 100;
  std::int64_t layers = 1;
  Nonlinearity activation = Nonlinearity::relu;
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
  double beta2 = 0.999;  // Adam's and AdamW's
  double weight_decay = 0;
  double clip_norm = 0;  // 0: no clipping
  ScheduleKind schedule = ScheduleKind::constant;

  std::uint64_t seed = 0;
  Rng rng = Rng::native;
  DType dtype = DType::f32;
  Precision precision = Precision::full;
  int threads = 0;                    // 0: the cores there are; no influence on the result
  std::int64_t eval_every = 500;      // 0: only after the last step
  std::vector<std::int64_t> save_at;  // steps after which the weights are kept

  friend bool operator==(const Config&, const Config&);
};

/// The settings of "tutorial", "tuned" or "sprint"; throws ValueError for another name.
Config recipe(std::string_view name);
inline constexpr std::string_view recipe_names[] = {"tuned", "sprint", "tutorial"};

/// Throws ValueError naming the first setting outside its range.
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

}  // namespace unroll::train
