// The random part of a recurrent layer's regularisers.
#pragma once

#include <string_view>

#include "nn/recurrent_node.h"
#include "unroll/nn/recurrent.h"

namespace unroll::nn {

/// Throws ValueError for probabilities outside [0, 1], and for regularisers that the cell can't
/// have.
void check_regularisation(std::string_view operation, const CellTraits& traits,
                          const RecurrentOptions& options);

/// Sets the call's factors and rates; all other members are already set. Draws masks that are not
/// given from `source`; a training call that needs any counts one step of it. `order` (i64, or
/// undefined) is the call's order of sequences, and given masks are put in that order. Throws
/// ShapeError for masks that do not fit.
void set_factors(StackCall& call, std::string_view operation, const RecurrentOptions& options,
                 bool training, std::span<const RecurrentMasks> given, const Tensor& order,
                 MaskSource& source);

}  // namespace unroll::nn
