// Chooses the samples that a run keeps.
#pragma once

#include "run/samples.h"
#include "train/trainer.h"

namespace unroll::run {

/// Chooses samples of the part that was tested last by the weights that the trainer has now: the
/// worst mistakes, some of each cell of the confusion matrix, and the first ones. At most 300
/// samples and 1 MB. Draws no random number of the run.
Samples choose_samples(train::Trainer& trainer);

}  // namespace unroll::run
