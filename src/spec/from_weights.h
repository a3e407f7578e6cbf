// What one recurrent layer's weights tell about it.
#pragma once

#include <string>
#include <string_view>

#include "unroll/spec/model_spec.h"

namespace unroll::spec {

/// The recurrent layer whose weights are called NAME.weight_ih_l0 and so on; its readout is the
/// last state. `weight_hh_shape`: the shape to take for that of NAME.weight_hh_l0. Throws
/// FormatError naming what is missing or not understood.
RecurrentSpec recurrent_from_weights(const std::map<std::string, Sizes>& weights,
                                     const std::string& name, const Assumed& assumed,
                                     const Sizes* weight_hh_shape = nullptr);

/// a before b, where numbers in names count as numbers: fc2 before fc10.
bool natural_before(std::string_view a, std::string_view b);

}  // namespace unroll::spec
