// Layers and inputs in words.
#pragma once

#include <string>

#include "unroll/spec/model_spec.h"

namespace unroll::report {

/// A line about a layer; of a recurrent layer a second line about its readout. The activation of a
/// bare state_dict is not known.
std::string text_of(const spec::LayerSpec& layer, bool activation_known = true);

/// A line about a model's input; of permuted pixels two. `described` is false for a bare
/// state_dict.
std::string text_of(const spec::InputSpec& input, bool described = true);

}  // namespace unroll::report
