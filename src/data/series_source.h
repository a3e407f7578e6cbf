// Series of the user's own, split and encoded, as a source.
#pragma once

#include <memory>
#include <optional>

#include "data/recordings.h"
#include "data/source.h"
#include "unroll/spec/model_spec.h"

namespace unroll::data {

/// How series become inputs and targets, when it does not follow from their training part.
struct SeriesEncoding {
  /// A trained model: its input, table, classes and outputs decide. All series are the test part,
  /// and targets may be missing.
  std::optional<spec::ModelSpec> model = {};
  /// Every value and target of the test part becomes a random number of this seed, after the parts
  /// are chosen and before anything is computed from them. For the proof that the test part has no
  /// influence.
  std::optional<std::uint64_t> test_noise = {};
};

/// Chooses the parts, takes statistics, categories, vocabulary and classes from the training part,
/// and cuts windows. Throws ValueError and FormatError that name the series and the remedy.
std::shared_ptr<const Source> series_source(Recordings recordings,
                                            const SeriesEncoding& encoding = {});

}  // namespace unroll::data
