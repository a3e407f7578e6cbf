// Penalties on the outputs of a recurrent layer, added to the loss.
#pragma once

#include "unroll/core/api.h"
#include "unroll/nn/readout.h"

namespace unroll::nn {

/// alpha * mean(y^2) over all elements, without the steps past a sequence's end. y is (T, N, F), or
/// (N, T, F) with batch_first; the result is []. Pass the output that the readout sees, after
/// dropout.
/// Throws ShapeError, and ValueError for a length outside 1 to T and an alpha that is not finite.
/// Source: Merity, McCann, Socher, "Revisiting activation regularization for language RNNs", 2017.
UNROLL_API Tensor activation_regularisation(const Tensor& output, double alpha,
                                            const BatchLayout& layout = {});

/// beta * mean((y_{t+1} - y_t)^2) over all pairs of neighbouring steps inside the sequences; 0 if
/// there is no pair. Pass the layer's own output, before dropout: the penalty is for changes of the
/// state, not of a mask. Shapes, errors and source are those of activation_regularisation.
UNROLL_API Tensor temporal_activation_regularisation(const Tensor& output, double beta,
                                                     const BatchLayout& layout = {});

}  // namespace unroll::nn
