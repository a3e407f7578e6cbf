// unroll predict on the images of an idx file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/model_source.h"
#include "app/prediction.h"

namespace unroll::app {

struct ImageFile {
  std::string path;
  std::optional<std::int64_t> index;  // one image alone, counted from 0
  bool steps = false;                 // of that image a prediction after every step
};

/// The model reads pixels.
void predict_images(const LoadedModel& loaded, const ImageFile& file,
                    const PredictionPrinter& print);

}  // namespace unroll::app
