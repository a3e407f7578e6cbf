// Whether a run has the data and the numerics that it began with.
#pragma once

#include <string>
#include <vector>

#include "data/source.h"
#include "train/config.h"

namespace unroll::run {

train::Provenance provenance_of(const data::Source& source);

/// What of the data and the numerics differs from what a run was made with, each a part of a
/// sentence.
std::vector<std::string> differences(const train::Provenance& then, const train::Provenance& now);

}  // namespace unroll::run
