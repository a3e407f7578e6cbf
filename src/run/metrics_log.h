// Reads metrics.jsonl.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/diagnosis.h"
#include "train/evaluation.h"
#include "train/inside.h"

namespace unroll::run {

/// The lines of a run's metrics.jsonl. Numbers that were not finite are NaN.
struct MetricsLog {
  struct Step {
    std::int64_t step = 0;
    double loss = 0, grad_norm = 0;
    std::optional<double> lr;  // nothing in runs of version 0.1.0
  };
  struct Test {
    std::int64_t step = 0;
    data::Split part = data::Split::test;
    double loss = 0;
    /// "accuracy", "correct", "total" and so on, in the order of the line.
    std::vector<std::pair<std::string, double>> metrics;
    std::vector<train::Baseline> baselines;
    std::optional<train::Inside> inside;

    std::optional<double> metric(std::string_view key) const;
  };
  struct Divergence {
    Step failed;
    Test kept;           // the weights that the run kept; `inside` is that of the divergence
    std::string reason;  // the text of the error; empty in older runs
  };

  std::vector<Step> steps;
  std::vector<Test> tests;
  std::optional<Divergence> divergence;

  /// The signs of each test, the first one first; those of the divergence at the end.
  std::vector<train::Signs> signs() const;
};

/// Reads the lines. A last line without its end, as in a run that is being written, is left out.
/// Throws FormatError, which names the file `name` and the line.
MetricsLog read_metrics_log(std::string_view text, const std::string& name);

}  // namespace unroll::run
