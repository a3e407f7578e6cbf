// Reads the model of --init-from.
#pragma once

#include <optional>
#include <string>

#include "train/config.h"
#include "train/initial_weights.h"

namespace unroll::run {

struct InitialModel {
  train::InitialWeights weights;
  std::string sha256;  // of its file
};

/// For the constructor of a Trainer: null without a model.
inline const train::InitialWeights* weights_of(const std::optional<InitialModel>& model) {
  return model ? &model->weights : nullptr;
}

/// The model that Config::init_from names, a run's folder or a file; nothing if it is empty. Throws
/// FileError, and FormatError for a file without a description of its model.
std::optional<InitialModel> initial_model(const train::Config& config);

}  // namespace unroll::run
