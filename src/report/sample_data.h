// The samples that a run kept, as data of its page.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "run/samples.h"

namespace unroll::report {

/// The samples with their inputs and outputs as base64 (docs/report.md has the keys).
nlohmann::ordered_json data_of(const run::Samples& samples);

/// The rows of the confusion matrix.
nlohmann::ordered_json data_of(const train::ConfusionMatrix& matrix);

}  // namespace unroll::report
