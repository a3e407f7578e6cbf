// The targets of series: classes and numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/recordings.h"
#include "data/series_parts.h"
#include "data/source.h"
#include "unroll/spec/model_spec.h"

namespace unroll::data {

struct SeriesTargets {
  TargetSpec spec;                     ///< its size is 0 if there are no targets
  std::vector<std::int64_t> class_of;  ///< of each text of the target column
  std::string note;                    ///< classes that are left out of the validation part

  /// The class of a target; no_target where it is missing.
  std::int64_t class_at(float target) const;
};

/// Classes, means and class weights of the training part. Throws ValueError for a class that the
/// training part lacks, and for a missing target of a whole series. In the validation part, steps
/// with such a class have no target.
SeriesTargets targets_of(const Recordings& recordings, std::span<const std::int64_t> starts,
                         const SeriesParts& parts, const SeriesSettings& settings);

/// The targets of a trained model. They may be missing. Throws ValueError for a class that the
/// model does not have.
SeriesTargets targets_for(const Recordings& recordings, const spec::ModelSpec& model);

}  // namespace unroll::data
