// The settings of a training run as the command line gives them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/command.h"
#include "train/settings.h"

namespace unroll::app {

/// A flag for each row of the table of settings (train/settings.h), and --config. The recipe or the
/// file of --config comes first, then every flag that was typed, in any order.
class TrainFlags {
 public:
  void add_to(Command& command);
  /// Only the flags of one group, for another command that reads data.
  void add_group(Command& command, train::Group group);

  struct Result {
    train::Config config;
    std::optional<train::Provenance> provenance;  // with --config: the file's
    bool other_data = false;                      // another data set was named beside --config
    bool other_validation = false, other_initial = false;  // --validate, --init-from were typed
    std::string needs_validation = {};  // a flag that does; empty: none was typed

    /// The classes that the data must have at least, so that it repeats the file's run.
    std::int64_t classes() const { return provenance && !other_data ? provenance->classes : 0; }
  };
  /// Settings by key, with their texts, in place of what flags say: one run of several.
  using Changes = std::vector<std::pair<std::string, std::string>>;
  /// Throws ValueError, UsageError, FormatError, FileError. A flag without effect is refused.
  Result resolve(const Changes& changes = {}) const;
  /// Whether the flag of a setting was typed.
  bool is_given(std::string_view key) const { return given(key, {}); }

  /// The source of a setting's value after resolve(): "flag", "config.json", "recipe" or "default".
  std::string_view source_of(const train::Setting& setting, const Result& result) const;

  /// The settings of a run that goes on, changed by flags. The caller refuses differences. Throws
  /// UsageError, and ValueError for a value that no run can have.
  train::Config beside(train::Config run) const;

 private:
  struct Flag {
    const train::Setting* setting;
    Option option;
    std::function<void(train::Config&)> apply;  // if given
  };
  void add(Command& command, const train::Setting& setting);
  bool given(std::string_view key, const Changes& changes) const;
  void change(train::Config& config, const Changes& changes) const;
  void refuse_idle(const train::Config& config, const Changes& changes) const;
  void refuse_pairs(const train::Config& config, const Changes& changes) const;

  std::vector<Flag> flags_;
  std::optional<std::string> config_file_;
};

}  // namespace unroll::app
