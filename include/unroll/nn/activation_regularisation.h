// Penalties on the outputs of a recurrent layer, added to the loss.
#pragma once

#include "unroll/core/api.h"
#include "unroll/nn/readout.h"

namespace unroll::nn {

/// alpha * mean of y^2, over all elements of the steps that sequences have. y (T, N, F), or
/// (N, T, F) with batch_first; result []. Give it the output that the readout sees, after dropout.
/// Throws ShapeError, and ValueError for a length outside 1 to T and an alpha that is not finite.
/// Source: Merity, McCann, Socher, "Revisiting activation regularization for language RNNs", 2017.
UNROLL_API Tensor activation_regularisation(const Tensor& output, double alpha,
                                            const BatchLayout& layout = {});

/// beta * mean of (y_{t+1} - y_t)^2, over all pairs of neighbouring steps that sequences have; 0
/// where there is none. Give it the layer's output itself, before dropout: what a mask changes from
/// step to step is not the state's own movement. Otherwise as activation_regularisation.
UNROLL_API Tensor temporal_activation_regularisation(const Tensor& output, double beta,
                                                     const BatchLayout& layout = {});

}  // namespace unroll::nn
