// The random part of a recurrent layer's regularisers.
#pragma once

#include <string_view>

#include "nn/recurrent_node.h"
#include "unroll/nn/recurrent.h"

namespace unroll::nn {

/// Throws ValueError for probabilities outside [0, 1], and for regularisers that the cell lacks the
/// place for.
void check_regularisation(std::string_view operation, const CellTraits& traits,
                          const RecurrentOptions& options);

/// Sets the call's factors and rates; all else of it is set. Masks that were not given are drawn
/// from `source`, one step of it for a training call that needs any; `order` (i64, or undefined)
/// brings the given ones into the call's order of sequences. Throws ShapeError for masks that don't
/// fit.
void set_factors(StackCall& call, std::string_view operation, const RecurrentOptions& options,
                 bool training, std::span<const RecurrentMasks> given, const Tensor& order,
                 MaskSource& source);

}  // namespace unroll::nn
