// The settings of a training run as the command line gives them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/command.h"
#include "train/config.h"

namespace unroll::app {

/// A flag for each row of the table of settings (train/settings.h), and --config. Flags are kept
/// apart from the configuration they change: first comes the recipe or the file of --config, then
/// every flag that was given, whatever their order on the command line.
class TrainFlags {
 public:
  void add_to(Command& command);

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
  struct Flag {
    std::string_view key;  // of the setting
    Option option;
    std::function<void(train::Config&)> apply;  // if given
  };
  bool given(std::string_view key) const;
  void change(train::Config& config) const;

  std::vector<Flag> flags_;
  std::optional<std::string> config_file_;
};

}  // namespace unroll::app
