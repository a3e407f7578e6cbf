// unroll predict on rows of an image's pixels, as numbers from 0 to 255.
#pragma once

#include <istream>
#include <string>

#include "app/model_source.h"
#include "app/prediction.h"

namespace unroll::app {

/// Rows of numbers: those on stdin, or in a text file.
struct Rows {
  std::istream& stream;
  std::string source;  // "on stdin", "in a.csv"
};

/// One image, whose pixels come row by row; with `each` a prediction after every row. The model
/// reads pixels. Throws UsageError where `each` is asked of a model that needs the whole image.
void predict_rows(const LoadedModel& loaded, const Rows& rows, bool each,
                  const PredictionPrinter& print);

}  // namespace unroll::app
