#include "app/run_folder.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/verbs.h"
#include "core/file.h"
#include "train/config_names.h"

namespace unroll::app {
namespace {

namespace fs = std::filesystem;

bool holds_run(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path + "/config.json", ignored) ||
         fs::exists(path + "/model.safetensors", ignored);
}

/// Makes runs/NAME, or NAME-2 and so on where that is taken; making it is what takes it, so that
/// two runs started at once don't share one.
std::string make_free_folder(const train::Config& config, const std::string& dataset) {
  const std::string base = fmt::format("runs/{}-{}-{}-seed{}", dataset.empty() ? "data" : dataset,
                                       train::name_of(config.model), config.recipe, config.seed);
  std::error_code error;
  fs::create_directories("runs", error);
  std::string name = base;
  for (int i = 2; !error && !fs::create_directory(name, error) && !error; ++i)
    name = fmt::format("{}-{}", base, i);
  if (error) throw FileError("train", fmt::format("can't make {}: {}", name, error.message()));
  return name;
}

/// 17 significant digits give every f64 back; JSON has no NaN or infinity.
std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{:.17g}", value) : "null";
}

}  // namespace

RunFolder::RunFolder(const std::string& wanted, const train::Config& config,
                     const std::string& dataset)
    : path_(wanted.empty() ? make_free_folder(config, dataset) : wanted) {
  if (holds_run(path_))
    throw UsageError(
        fmt::format("--out {} already holds a run; choose another folder, or remove "
                    "that one first",
                    path_));
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw FileError("train", fmt::format("can't make {}: {}", path_, error.message()));
  metrics_.open(file("metrics.jsonl"), std::ios::binary | std::ios::trunc);
  if (!metrics_) throw FileError("train", fmt::format("can't create {}", file("metrics.jsonl")));
}

void RunFolder::write_config(const train::Config& config, const train::Provenance& provenance) {
  write_file("train", file("config.json"), train::to_json(config, provenance));
}

void RunFolder::write_line(const std::string& line) {
  metrics_ << line << '\n';
  if (!metrics_)
    throw FileError("train",
                    fmt::format("can't write {}; is the disk full?", file("metrics.jsonl")));
}

void RunFolder::log(const train::StepResult& s) {
  write_line(fmt::format(R"({{"event":"step","step":{},"loss":{},"grad_norm":{}}})", s.step,
                         number(s.loss), number(s.grad_norm)));
}

void RunFolder::log(std::int64_t step, double loss, const train::Evaluation& e,
                    const std::string& dataset) {
  write_line(fmt::format(
      R"({{"event":"eval","step":{},"loss":{},"accuracy":{},"correct":{},"total":{},"train_loss":{},"dataset":{}}})",
      step, number(e.loss), number(e.accuracy()), e.correct, e.total, number(loss),
      nlohmann::json(dataset).dump()));
  metrics_.flush();
}

void RunFolder::log(const train::Diverged& d) {
  write_line(fmt::format(R"({{"event":"diverged","step":{},"loss":{},"grad_norm":{}}})",
                         d.failed.step, number(d.failed.loss), number(d.failed.grad_norm)));
}

void RunFolder::finish_log() {
  metrics_.close();
  if (!metrics_)
    throw FileError("train",
                    fmt::format("can't write {}; is the disk full?", file("metrics.jsonl")));
}

}  // namespace unroll::app
