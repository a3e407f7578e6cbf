// From settings to the description of a model.
#pragma once

#include "train/config.h"
#include "unroll/data/dataset.h"
#include "unroll/spec/model_spec.h"

namespace unroll::train {

/// The model that the settings ask for on images such as the set's. Throws ValueError for settings
/// out of range, or a model that could not be held in training.
spec::ModelSpec describe(const Config& config, const data::Dataset& set);

/// The model for the task that the settings name.
spec::ModelSpec describe_task(const Config& config);

}  // namespace unroll::train
