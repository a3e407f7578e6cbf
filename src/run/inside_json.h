// The inside of a model (train/inside.h) in a line of metrics.jsonl.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "train/inside.h"

namespace unroll::run {

/// The object as text, with six digits a number. Numbers that are not finite are null.
std::string to_json(const train::Inside& inside);

/// Reads it. Unknown keys are ignored. Throws FormatError for values of another kind.
train::Inside inside_from(const nlohmann::ordered_json& object);

}  // namespace unroll::run
