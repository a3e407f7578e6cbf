// The results of several runs: mean and standard deviation, and the best choice of a sweep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/run_set.h"
#include "train/evaluation.h"

namespace unroll::app {

/// The name of the summary's file in the folder of a set.
inline constexpr const char* kSummaryFile = "summary.json";

/// A run of a set, as its folder has it.
struct SetResult {
  SetRun run;
  std::string status = "waiting";                ///< or "finished", "diverged" and so on
  std::int64_t step = 0;                         ///< of its model
  std::optional<train::Evaluation> result = {};  ///< of a run that has ended
};

/// Reads the folders of runs in `folder`. The result of a run of a sweep is its evaluation with the
/// lowest loss; of others, the last one.
std::vector<SetResult> results_in(const std::string& folder, const std::vector<SetRun>& runs,
                                  bool sweep);

/// One number of every result: a metric, or the loss.
struct Column {
  std::string name, key;
  std::string unit = {};  ///< "%"; may be empty
  std::vector<double> values = {};

  double mean() const;
  double deviation() const;  ///< of a sample: by N - 1; 0 of one value
};
/// The numbers of the results that have them, the metrics before the loss.
std::vector<Column> summary_columns(const std::vector<SetResult>& results);

/// The runs with the best choice of a sweep's values, those of each fold by itself: its mean loss
/// is the lowest of all choices whose runs have all finished. Empty if there is none.
std::vector<SetRun> best_runs(const std::vector<SetResult>& results);

/// The mean of each baseline over folds.
std::vector<train::Baseline> mean_baselines(
    const std::vector<std::vector<train::Baseline>>& of_folds);

/// The object of summary.json. It says which part the results are of. `tested`: the best runs of a
/// sweep, with their results on the test part if it was read. Baselines stand beside the results of
/// their part.
nlohmann::ordered_json summary_json(const std::vector<SetResult>& results, bool sweep,
                                    const std::vector<SetResult>& tested);

/// A line for each baseline of the results, and a sentence for each that their mean does not beat.
std::vector<std::string> baseline_lines(const std::vector<SetResult>& results);

/// A line for each run, and the mean and standard deviation of those that have finished. Runs of
/// different choices have no `mean`.
std::string summary_table(const std::vector<SetResult>& results, bool mean = true);

}  // namespace unroll::app
