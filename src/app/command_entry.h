// The command line as data. Parsing, help, completions and the man page all read it.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::app {

/// The paths that a shell offers for a value.
enum class Paths { none, files, folders };

/// A flag or an argument.
struct OptionEntry {
  std::vector<std::string> names;  ///< "-o", "--out"; of an argument "DATASET" alone
  std::string help;
  std::string heading;  ///< in help; empty: "Flags"
  std::string value;    ///< how help calls its value, "FILE"; empty: takes none
  std::string default_value;
  bool shows_default = false;
  /// The values that a shell offers.
  std::vector<std::string> choices;
  bool only_choices = false;  ///< any other value is refused
  Paths paths = Paths::none;
  std::size_t fewest = 1, most = 1;  ///< values in a row
  bool required = false;
  bool repeatable = false;
  /// Reads the values once all have been typed. Throws UsageError.
  std::function<void(const OptionEntry&)> read;

  std::vector<std::string> values;  ///< as typed
  int times = 0;                    ///< how often it was typed

  bool is_flag() const { return names.front().starts_with("-"); }
  bool takes_value() const { return !value.empty(); }
  const std::string& name() const { return names.back(); }  ///< "--out"
};

/// The program, or one of its commands.
struct CommandEntry {
  std::string name;  ///< "fetch"
  std::string path;  ///< "unroll data fetch"
  std::string description, example;
  std::string heading;  ///< in the help of the command above
  std::string notes;    ///< at the end of the help
  std::list<OptionEntry> flags, arguments;
  std::list<CommandEntry> commands;
  std::function<int()> work;
};

/// The flag or the command of this name, or null.
OptionEntry* find_flag(CommandEntry& command, const std::string& name);
const CommandEntry* find_command(const CommandEntry& command, const std::string& name);

std::vector<std::string_view> names_of(const std::list<CommandEntry>& commands);

/// The command, then all below it, in the order of help.
std::vector<const CommandEntry*> all_commands(const CommandEntry& command);

}  // namespace unroll::app
