// The runs of --seeds, --folds and --sweep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/train_flags.h"

namespace unroll::app {

/// One run of a set.
struct SetRun {
  std::string name = {};             ///< of its folder: "lr0.001-fold1-seed0"
  TrainFlags::Changes changes = {};  ///< its settings that differ from those of the others
  nlohmann::ordered_json settings = nlohmann::ordered_json::object();  ///< the same, as JSON
  std::size_t choice = 0;  ///< the number of its values of --sweep
  std::int64_t fold = 0;
};

/// --seeds and --sweep. The number of folds is a setting.
struct SetFlags {
  std::string seeds;
  std::vector<std::string> sweep;

  void add_to(Command& command);
  /// Whether the flags ask for several runs. A fold that was named is one run.
  bool ask_for_runs(const TrainFlags& train) const;
  bool has_sweep() const { return !sweep.empty(); }
  /// Every choice of values with every fold and every seed, in this order. Throws UsageError and
  /// ValueError.
  std::vector<SetRun> runs(const TrainFlags& train) const;
  /// The name of the set's folder, for the settings that all runs share and the data set's name.
  std::string name(const train::Config& config, const std::string& dataset) const;
};

}  // namespace unroll::app
