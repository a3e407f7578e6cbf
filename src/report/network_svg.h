// A picture of a model.
#pragma once

#include <string>

#include "unroll/spec/model_spec.h"

namespace unroll::report {

/// Draws a model as SVG, from its input at the bottom to its output at the top. A model with time
/// is unrolled: its first three steps and the last one, from left to right. Numbers beside the
/// arrows are shapes. Boxes have the number of their parameters, at the first step only, because
/// all steps share them. `activation_known` is false for a file that does not say whether an
/// activation is relu or tanh. Throws the errors of spec::features_of().
std::string network_svg(const spec::ModelSpec& spec, bool activation_known = true);

}  // namespace unroll::report
