// The role of each weight of a model.
#pragma once

#include <map>
#include <string>

#include "unroll/spec/model_spec.h"

namespace unroll::report {

/// Roles by the weights' names: "hidden 0 → hidden 1", "bias of input → hidden".
std::map<std::string, std::string> roles_of(const spec::ModelSpec& spec);

}  // namespace unroll::report
