// unroll predict on the samples of a source.
#pragma once

#include <cstdint>

#include "app/model_source.h"
#include "app/prediction.h"
#include "data/source.h"

namespace unroll::app {

/// Samples of a source's test part.
struct Samples {
  const data::Source& source;
  std::int64_t first = 0, count = 1;
  std::int64_t number = 0;  // what the first one is called
  bool alone = false;       // one sample was asked for: a line for each class
  bool steps = false;       // of that sample a prediction after every step
};

/// Throws ShapeError where the model and the source don't fit; UsageError for `steps` where the
/// model needs all of a sample at once.
void predict_samples(const LoadedModel& loaded, const Samples& samples,
                     const PredictionPrinter& print);

}  // namespace unroll::app
