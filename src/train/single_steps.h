// Runs a recurrent layer one time step after the other, on the tape.
#pragma once

#include "nn/described_recurrent.h"
#include "train/observer.h"
#include "unroll/nn/state.h"
#include "unroll/spec/layers.h"

namespace unroll::train {

/// The output and the last states of a recurrent layer for x (N, T, I), as the layer gives them. It
/// has one layer and one direction. The observer hears the states after every step, and gradients
/// flow through the tensors that it returns.
nn::DescribedRecurrent::Result in_single_steps(const nn::DescribedRecurrent& layer,
                                               const spec::RecurrentSpec& spec, const Tensor& x,
                                               const nn::State& initial, Observer& observer);

}  // namespace unroll::train
