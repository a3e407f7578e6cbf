// What a run's folder says of the run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "run/manifest.h"
#include "run/metrics_log.h"
#include "run/samples.h"
#include "train/config.h"
#include "train/evaluation.h"
#include "unroll/core/error.h"
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
  std::string path, name;       // name: of the folder
  run::Manifest manifest = {};  // as it was when the run was read
  /// There are files of the run, but no manifest.json: nothing tells how it ended.
  bool manifest_is_lost = false;
  std::int64_t step = 0;         // of the model; of the last logged step while it is training
  std::string config_text = {};  // config.json
  train::Config config = {};
  train::Provenance provenance = {};
  run::MetricsLog log = {};

  run::RunStatus status() const { return manifest.status; }
  /// "finished", and so on; "unknown" without the manifest.
  std::string_view status_name() const;
  /// Whether `unroll train --resume` goes on with it.
  bool can_go_on() const;
  /// The test of the weights that the run has; null if there was none.
  const run::MetricsLog::Test* result() const;
  /// How many steps the run makes in total; nothing if only its data tells.
  std::optional<std::int64_t> steps() const;
};

/// Reads status, settings and metrics. Changes nothing, and needs no lock: the run may be training.
/// Throws FileError if there is no run, FormatError for damage.
RunRecord read_run(const std::string& path);

/// The model that the run ended with; nothing if it is training, or lost its manifest. Throws
/// FormatError for damage.
std::optional<TrainedModel> model_of(const RunRecord& run);

/// The samples that the run recorded, if it did. Throws FormatError for damage.
std::optional<run::Samples> samples_of(const RunRecord& run);

/// What model_of() or samples_of() reads. If that is damaged: nothing, and a note with the reason.
template <class T>
std::optional<T> if_readable(std::optional<T> (*read)(const RunRecord&), const RunRecord& run,
                             std::vector<std::string>& notes) {
  try {
    return read(run);
  } catch (const Error& error) {
    notes.emplace_back(error.reason());
    return {};
  }
}

/// The metrics of a test, in its order.
std::vector<train::Metric> metrics_of(const run::MetricsLog::Test& test);

}  // namespace unroll::report
