// How words become tokens.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/recordings.h"
#include "data/series_parts.h"
#include "unroll/spec/model_spec.h"

namespace unroll::data {

/// The words that a model knows. Token 0 is every other word.
struct SeriesTokens {
  static constexpr const char* unknown = "<unk>";

  std::vector<std::string> vocabulary;  ///< the text of each token
  std::vector<std::int64_t> token_of;   ///< of each text of the recordings
  std::vector<bool> once;               ///< of each token: it occurs once in the training part

  std::int64_t token(float text) const;
  /// Words of the test part that the vocabulary lacks.
  std::int64_t count_unknown(const Recordings& recordings, std::span<const std::int64_t> starts,
                             const SeriesPart& part) const;
};

/// The `most` most frequent words of the training part, the most frequent first; equally frequent
/// ones by bytes. Throws ValueError if their texts are too long for a model file.
SeriesTokens tokens_of(const Recordings& recordings, std::span<const std::int64_t> starts,
                       const SeriesPart& train, std::int64_t most);

/// The words of a trained model. Throws ValueError if it has no vocabulary, or the recordings have
/// no column of words.
SeriesTokens tokens_for(const Recordings& recordings, const spec::TokenInput& input);

}  // namespace unroll::data
