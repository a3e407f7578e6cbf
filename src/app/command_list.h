// The command line as data: what completions and the man page are made of, so that neither can say
// anything else than the program.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace unroll::app {

struct FlagEntry {
  std::vector<std::string> names;  ///< "-h", "--help"; of a positional its name alone
  std::string description;
  std::string value;  ///< what it takes, such as "FLOAT" or "INT:{1,2}"; empty: nothing
};

/// The program itself, or one of its commands.
struct CommandEntry {
  std::string path;  ///< "unroll data fetch"
  std::string description;
  std::string example;                ///< empty where there is none
  std::vector<std::string> commands;  ///< what may follow, by their names
  std::vector<FlagEntry> flags, positionals;
  std::string notes;  ///< what stands below all of the help
};

/// The program first, then every command with those below it behind it, in the order of --help.
std::vector<CommandEntry> list_commands(const CLI::App& program);

}  // namespace unroll::app
