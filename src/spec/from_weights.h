// Derives a recurrent layer from its weights.
#pragma once

#include <string>
#include <string_view>

#include "unroll/spec/model_spec.h"

namespace unroll::spec {

/// The recurrent layer with weights NAME.weight_ih_l0 and so on; its readout is Readout::last.
/// `weight_hh_shape` replaces the shape of NAME.weight_hh_l0. Throws FormatError naming the weights
/// that are missing or not understood.
RecurrentSpec recurrent_from_weights(const std::map<std::string, Sizes>& weights,
                                     const std::string& name, const Assumed& assumed,
                                     const Sizes* weight_hh_shape = nullptr);

/// Whether a comes before b, with numbers in names compared as numbers: fc2 before fc10.
bool natural_before(std::string_view a, std::string_view b);

}  // namespace unroll::spec
