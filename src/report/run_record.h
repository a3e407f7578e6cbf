// What a run's folder says of the run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "run/manifest.h"
#include "run/metrics_log.h"
#include "run/samples.h"
#include "train/config.h"
#include "train/evaluation.h"
#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::report {

/// A trained model with its weights.
struct TrainedModel {
  spec::ModelSpec spec;
  io::Safetensors weights;
  std::string sha256;  // of model.safetensors
};

struct RunRecord {
  std::string path, name;  // the name is that of the folder
  run::RunStatus status = run::RunStatus::training;
  std::int64_t step = 0;         // of the model; of the last logged step while it is training
  std::string config_text = {};  // config.json
  train::Config config = {};
  train::Provenance provenance = {};
  run::MetricsLog log = {};

  /// The test of the weights that the run has; null if there was none.
  const run::MetricsLog::Test* result() const;
  /// How many steps the run makes in total; nothing if only its data tells.
  std::optional<std::int64_t> steps() const;
};

/// Reads status, settings and metrics. Changes nothing, and needs no lock: the run may be training.
/// Throws FileError if there is no run, FormatError for damage.
RunRecord read_run(const std::string& path);

/// The model that the run ended with; nothing if it is training. Throws FormatError for damage.
std::optional<TrainedModel> model_of(const RunRecord& run);

/// The samples that the run recorded, if it did. Throws FormatError for damage.
std::optional<run::Samples> samples_of(const RunRecord& run);

/// The metrics of a test, in its order.
std::vector<train::Metric> metrics_of(const run::MetricsLog::Test& test);

}  // namespace unroll::report
