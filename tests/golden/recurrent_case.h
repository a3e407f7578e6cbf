// What the cases of recurrent layers have in common.
#pragma once

#include <span>

#include "golden/golden_case.h"
#include "unroll/nn/recurrent.h"

namespace unroll::golden {

/// Runs the layer that a case describes and compares its outputs, final states and every gradient.
/// State tensors of the file that lack the dimension of layers are those of one.
void run_recurrent_case(const GoldenCase& c, const nn::RecurrentRegularisation& regularisation = {},
                        std::span<const nn::RecurrentMasks> masks = {});

}  // namespace unroll::golden
