// Series of the user's own, split and encoded, as a source.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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
/// and cuts windows. Samples of a part are in the order of the names of their series. Throws
/// ValueError and FormatError that name the series and the remedy.
///
/// With words, Pick::draw above 0 makes each word that occurs once in the training part <unk> with
/// probability 1/2, so that a model learns what to do with words that it does not know.
std::shared_ptr<const Source> series_source(Recordings recordings,
                                            const SeriesEncoding& encoding = {});

/// The columns that are texts for a trained model, whatever a file has in them.
std::vector<std::string> text_columns_of(const spec::ModelSpec& model);

/// The settings with which a file is read for a trained model: the roles of its columns. Without
/// `targets`, no target is read. Throws ValueError if the model reads no table.
SeriesSettings settings_for(const spec::ModelSpec& model, bool targets = true);

}  // namespace unroll::data
