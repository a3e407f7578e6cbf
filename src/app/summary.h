// What a terminal shows when a run has finished: its files, and commands worth trying.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "report/run_commands.h"
#include "train/config.h"
#include "train/evaluation.h"
#include "unroll/spec/model_spec.h"

namespace unroll::app {

/// A finished run.
struct FinishedRun {
  const train::Config& config;
  const spec::ModelSpec& model;
  const train::Evaluation& evaluation;
  std::string folder;
  std::string data_dir;                        ///< the one that was given; may be empty
  bool has_report = false;                     ///< made by `unroll train --report`
  std::map<std::string, std::uint64_t> files;  ///< sizes by name
};

/// Three commands that work with this run. If less than 90 % of its answers are correct, the first
/// one trains again with flags that may help.
std::vector<report::RunCommand> next_commands(const FinishedRun& run);

/// "57.1 kB"; a kB has 1000 bytes.
std::string size_text(std::uint64_t bytes);

/// Several lines. The files of single steps are one line, and so are the checkpoints.
std::string summary_of(const FinishedRun& run);

}  // namespace unroll::app
