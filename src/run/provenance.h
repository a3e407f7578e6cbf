// Compares the data and the numerics of a run with those that it began with.
#pragma once

#include <string>
#include <vector>

#include "data/source.h"
#include "train/config.h"

namespace unroll::run {

train::Provenance provenance_of(const data::Source& source);

/// The differences in data and numerics, each as part of a sentence.
std::vector<std::string> differences(const train::Provenance& then, const train::Provenance& now);

}  // namespace unroll::run
