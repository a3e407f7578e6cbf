// The folder of a training run.
#pragma once

#include <fstream>
#include <string>
#include <string_view>

#include "train/config.h"
#include "train/evaluate.h"
#include "train/trainer.h"

namespace unroll::app {

/// Makes and fills a run's folder: config.json, metrics.jsonl, model.safetensors,
/// step_N.safetensors. Nothing in it depends on the time or on the number of threads but the
/// settings that say so.
class RunFolder {
 public:
  /// `wanted` as the user gave it; empty: runs/NAME, numbered where that is taken, with the name of
  /// the data set that was loaded (which may be another than the one wished for).
  /// Throws UsageError where `wanted` already holds a run, FileError where it can't be made.
  RunFolder(const std::string& wanted, const train::Config& config, const std::string& dataset);

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

  void write_config(const train::Config& config, const train::Provenance& provenance);
  void log(const train::StepResult& step);
  void log(std::int64_t step, double loss, const train::Evaluation& evaluation,
           const std::string& dataset);
  void log(const train::Diverged& diverged);
  /// Throws FileError if anything could not be written.
  void finish_log();

 private:
  void write_line(const std::string& line);

  std::string path_;
  std::ofstream metrics_;
};

}  // namespace unroll::app
