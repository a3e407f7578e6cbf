// Labelled sequences of different lengths, as a source.
#pragma once

#include <memory>
#include <string>

#include "data/source.h"
#include "unroll/data/bucket_loader.h"

namespace unroll::data {

/// A source for classifying sequences. Labels are 0 to classes - 1. Throws the errors of
/// BucketLoader, ShapeError if the parts have different numbers of features, and ValueError for a
/// label outside the classes.
std::shared_ptr<const Source> sequence_source(std::string name, Sequences train, Sequences test,
                                              std::int64_t classes);

}  // namespace unroll::data
