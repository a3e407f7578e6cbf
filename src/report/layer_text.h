// Layers, inputs and outputs in words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "unroll/spec/model_spec.h"

namespace unroll::report {

/// A line about a layer; of a recurrent layer a second line about its readout. The activation of a
/// bare state_dict is not known.
std::string text_of(const spec::LayerSpec& layer, bool activation_known = true);

/// A line about a model's input; of permuted pixels two. `described` is false for a bare
/// state_dict.
std::string text_of(const spec::InputSpec& input, bool described = true);

/// What `count` outputs are called: "logits", or "logit" for one.
std::string_view outputs_name(spec::Output output, std::int64_t count);

}  // namespace unroll::report
