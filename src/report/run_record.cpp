#include "report/run_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

#include "core/file.h"
#include "core/folder.h"
#include "core/shell_word.h"
#include "run/file_names.h"
#include "run/run_folder.h"
#include "train/settings.h"
#include "unroll/core/error.h"

namespace unroll::report {
namespace {

constexpr std::uint64_t kMostMetrics = std::uint64_t{1} << 30;

std::string folder_name(const std::string& path) {
  std::error_code error;
  const auto whole = std::filesystem::weakly_canonical(path, error);
  const std::string name = (error ? std::filesystem::path(path) : whole).filename();
  return name.empty() ? path : name;
}

/// A file of the run. If the manifest lists it, it must be as listed.
std::string text_of_file(const Folder& folder, const run::Manifest& manifest,
                         const std::string& name) {
  if (!manifest.lists(name)) return read_text("report", folder, name, kMostMetrics);
  const auto bytes = manifest.load(folder, name);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool has_files_beside_config(const Folder& folder) {
  return std::ranges::any_of(folder.names(), [](const std::string& name) {
    return name != run::config_file && run::is_name_of_a_run(name);
  });
}

}  // namespace

std::string_view RunRecord::status_name() const {
  return manifest_is_lost ? "unknown" : run::name_of(status());
}

bool RunRecord::can_go_on() const {
  return !manifest_is_lost &&
         (status() == run::RunStatus::training || status() == run::RunStatus::interrupted);
}

const run::MetricsLog::Test* RunRecord::result() const {
  if (log.divergence) return &log.divergence->kept;
  return log.tests.empty() ? nullptr : &log.tests.back();
}

std::optional<std::int64_t> RunRecord::steps() const {
  if (status() == run::RunStatus::finished) return step;
  return config.epochs > 0 ? std::nullopt : std::optional(config.steps);
}

RunRecord read_run(const std::string& path) {
  const Folder folder("report", path);
  RunRecord run{.path = path, .name = folder_name(path)};
  const auto found = run::Manifest::read(folder);
  run.manifest = found.value_or(run::Manifest{});
  if (!folder.has(run::config_file))
    throw FileError("report", fmt::format("{} has no run, because it has no config.json; name the "
                                          "folder of a run, such as runs/NAME",
                                          path));
  run.config_text = text_of_file(folder, run.manifest, run::config_file);
  auto [config, provenance] =
      train::config_from_json(run.config_text, folder.path_of(run::config_file));
  run.config = std::move(config);
  run.provenance = std::move(provenance);
  // Only config.json is written before the manifest.
  run.manifest_is_lost = !found && has_files_beside_config(folder);
  if (folder.has(run::metrics_file) || run.manifest.lists(run::metrics_file))
    run.log = run::read_metrics_log(text_of_file(folder, run.manifest, run::metrics_file),
                                    folder.path_of(run::metrics_file));
  run.step = run.status() == run::RunStatus::training
                 ? (run.log.steps.empty() ? 0 : run.log.steps.back().step)
                 : run.manifest.step;
  return run;
}

std::vector<train::Metric> metrics_of(const run::MetricsLog::Test& test) {
  const auto count = [&](std::string_view key) {
    const double value = test.metric(key).value_or(0);
    return value >= 0 && value < 0x1p53 ? static_cast<std::int64_t>(value) : 0;
  };
  std::vector<train::Metric> all;
  for (const auto& [key, value] : test.metrics) {
    if (key == "correct" || key == "total") continue;
    train::Metric metric = train::metric_with_key(key);
    metric.value = value;
    if (key == train::Evaluation().accuracy().key()) {  // the one share whose counts are written
      metric.correct = count("correct");
      metric.total = count("total");
    }
    all.push_back(std::move(metric));
  }
  return all;
}

std::optional<TrainedModel> model_of(const RunRecord& run) {
  if (run.status() == run::RunStatus::training) return std::nullopt;
  const Folder folder("report", run.path);
  const std::string path = folder.path_of(run::model_file);
  if (!run.manifest.lists(run::model_file))
    throw FormatError("report", fmt::format("{} is not listed in manifest.json; restore the folder "
                                            "from a copy, or train again: unroll train --config {}",
                                            path, shell_word(folder.path_of(run::config_file))));
  auto weights = io::Safetensors::parse(run.manifest.load(folder, run::model_file), path);
  const auto description = weights.metadata().find(spec::ModelSpec::metadata_key);
  if (description == weights.metadata().end())
    throw FormatError("report", fmt::format("{} has no description of its model", path));
  spec::ModelSpec spec = spec::from_json(description->second);
  std::map<std::string, spec::Sizes> shapes;
  for (const io::ArrayView& array : weights.arrays()) shapes[array.name] = array.shape;
  if (const std::string misfits = spec::differences(spec, shapes); !misfits.empty())
    throw FormatError("report", fmt::format("{}: {}", path, misfits));
  return TrainedModel{std::move(spec), std::move(weights),
                      run.manifest.files.at(run::model_file).front().sha256};
}

std::optional<run::Samples> samples_of(const RunRecord& run) {
  if (run.status() == run::RunStatus::training || !run.manifest.lists(run::samples_file))
    return std::nullopt;
  const Folder folder("report", run.path);
  return run::samples_from(run.manifest.load(folder, run::samples_file),
                           folder.path_of(run::samples_file));
}

}  // namespace unroll::report
