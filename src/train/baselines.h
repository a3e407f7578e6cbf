// What simple predictions reach: the numbers beside which a model's results stand.
#pragma once

#include <vector>

#include "data/source.h"
#include "train/evaluation.h"

namespace unroll::train {

/// Tests simple predictions on a part of the source. They know only the training part.
///
/// | target               | baselines                                                       |
/// | classes              | the most frequent class                                         |
/// | values (every step)  | the training mean (RMSE), the training median (MAE)             |
/// | class of every step  | the most frequent class; for tokens each word's most frequent   |
/// The first of several classes that are equally frequent. A word without training samples gets the
/// most frequent class. Samples that are windows have baselines for whole series, too. Empty for an
/// endless training part, and for the next token.
std::vector<Baseline> baselines(const data::Source& source, data::Split part);

}  // namespace unroll::train
