// Labelled sequences of different lengths, as a source.
#pragma once

#include <memory>
#include <string>

#include "data/source.h"
#include "unroll/data/bucket_loader.h"

namespace unroll::data {

/// Classes of sequences. Each part's labels are 0 to classes - 1. Throws what BucketLoader throws,
/// ShapeError where the parts differ in their features, ValueError for a label outside the classes.
std::shared_ptr<const Source> sequence_source(std::string name, Sequences train, Sequences test,
                                              std::int64_t classes);

}  // namespace unroll::data
