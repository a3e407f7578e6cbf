// The settings of a training run as the command line gives them.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "train/config.h"

namespace unroll::app {

/// Flags are kept apart from the configuration they change: first comes the recipe or the file of
/// --config, then every flag that was given, whatever their order on the command line.
class TrainFlags {
 public:
  void add_to(CLI::App& verb);

  struct Result {
    train::Config config;
    std::optional<train::Provenance> provenance;  // with --config: what that run was made from
    bool other_data = false;                      // the data set was named beside --config
  };
  /// Throws ValueError, UsageError, FormatError, FileError.
  Result resolve() const;

  /// The settings of a run that goes on, changed by what flags say: it is for the caller to refuse
  /// differences. Throws UsageError, and ValueError for what no run can have.
  train::Config beside(train::Config run) const;

 private:
  void change(train::Config& config) const;

  template <class T>
  CLI::Option* add(CLI::App& verb, const char* name, const char* help,
                   std::function<void(train::Config&, const T&)> apply);

  std::optional<std::string> dataset_, recipe_, config_file_, model_;
  std::optional<std::int64_t> steps_, epochs_;
  std::vector<std::function<void(train::Config&)>> changes_;
};

}  // namespace unroll::app
