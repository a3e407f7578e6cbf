// What one recurrent layer's weights tell about it.
#pragma once

#include <string>

#include "unroll/spec/model_spec.h"

namespace unroll::spec {

/// The recurrent layer whose weights are called NAME.weight_ih_l0 and so on; its readout is the
/// last state. Throws FormatError naming what is missing or not understood.
RecurrentSpec recurrent_from_weights(const std::map<std::string, Sizes>& weights,
                                     const std::string& name, const Assumed& assumed);

}  // namespace unroll::spec
