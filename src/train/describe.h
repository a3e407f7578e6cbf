// Turns settings into the description of a model, and into the options of its data source.
#pragma once

#include "data/open_source.h"
#include "data/source.h"
#include "train/config.h"
#include "unroll/spec/model_spec.h"

namespace unroll::train {

/// The model that the settings ask for, which reads `input` and answers `target`. Throws ValueError
/// for settings that are out of range, or that do not fit the input.
spec::ModelSpec describe(const Config& config, const spec::InputSpec& input,
                         const data::TargetSpec& target);

/// The model for a source. The description gets the source's name. Throws ValueError also if
/// training would need too much memory.
spec::ModelSpec describe(const Config& config, const data::Source& source);

/// Throws ValueError if training the model would need too much memory: for its weights, or for the
/// numbers of one batch that the backward pass needs.
void check_memory(const spec::ModelSpec& spec, const Config& config, const data::Source& source);

/// The options with which a run with these settings opens its source. Images have at least
/// `classes` classes.
data::SourceOptions source_options(const Config& config, std::int64_t classes = 0);

/// The settings with the values that the data decides, as config.json keeps them: the
/// normalization of pixels; the settings of series; no patience of a recipe without a validation
/// part; the number of steps, where it is 0.
Config settled(Config config, const data::Source& source);

}  // namespace unroll::train
