// The models and recipes to choose from: what they are, and the results that are known.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "train/config.h"

namespace unroll::train {

/// "one linear layer, trained with cross-entropy"
std::string_view title_of(ModelKind model);

/// The flags that this model takes and some other model does not, in the order of the table of
/// settings.
std::vector<std::string> own_flags_of(ModelKind model);

/// "the chapter to the letter". Throws ValueError for an unknown recipe.
std::string_view title_of_recipe(std::string_view recipe);

/// A result of `unroll train` after the last step, on the test set.
struct KnownResult {
  std::string_view dataset;
  ModelKind model = ModelKind::rnn;
  std::string_view recipe = "tuned";
  std::string_view flags;     ///< what else was given, as in "--layers 2"
  std::string_view metric;    ///< "accuracy" in percent, or "mean squared error"
  std::vector<double> seeds;  ///< of the seeds 0, 1, ...; NaN for a run that diverged

  std::string command() const;  ///< "unroll train mnist --layers 2"
  double mean() const;          ///< NaN if a run diverged
};

/// All results that are known. Numbers of README and docs/results.md stand there too.
const std::vector<KnownResult>& known_results();

/// The revision of the numerics that gave them.
inline constexpr int known_results_revision = 5;

}  // namespace unroll::train
