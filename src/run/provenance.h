// Compares the data and the numerics of a run with those that it began with.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/source.h"
#include "run/initial_model.h"
#include "train/config.h"

namespace unroll::run {

/// Of a run on this source. `initial` is the model of --init-from.
train::Provenance provenance_of(const data::Source& source,
                                const std::optional<InitialModel>& initial = {});

/// The differences in data, each as part of a sentence.
std::vector<std::string> differences(const train::Provenance& then, const train::Provenance& now);

/// Why this program would compute other bits than the run in folder `path`, and the remedy. Empty
/// if both have the same revision of the numerics.
std::string other_revision(const train::Provenance& then, const std::string& path);

}  // namespace unroll::run
