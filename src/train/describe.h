// From settings to the description of a model, and to how its data is read.
#pragma once

#include "data/open_source.h"
#include "data/source.h"
#include "train/config.h"
#include "unroll/spec/model_spec.h"

namespace unroll::train {

/// The model that the settings ask for, to read this input and answer this target. Throws
/// ValueError for settings out of range, or that have no such model.
spec::ModelSpec describe(const Config& config, const spec::InputSpec& input,
                         const data::TargetSpec& target);

/// The same for a source, whose name it has. Throws ValueError for a model that could not be held
/// in training.
spec::ModelSpec describe(const Config& config, const data::Source& source);

/// Throws ValueError for a model that could not be held in training: its weights, and what one
/// batch leaves for the backward pass.
void check_memory(const spec::ModelSpec& spec, const Config& config, const data::Source& source);

/// How a source is read for a run with these settings.
data::SourceOptions source_options(const Config& config);

}  // namespace unroll::train
