// The samples that a run kept, as data of its page.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "run/samples.h"

namespace unroll::report {

/// The samples with their inputs and outputs as base64 (docs/report.md has the keys).
nlohmann::ordered_json data_of(const run::Samples& samples);

/// The states of the first samples: {"rnn": {"shape": [K, T, H], "data": base64}}.
nlohmann::ordered_json data_of(const std::map<std::string, Tensor>& states);

/// The rows of the confusion matrix.
nlohmann::ordered_json data_of(const train::ConfusionMatrix& matrix);

}  // namespace unroll::report
