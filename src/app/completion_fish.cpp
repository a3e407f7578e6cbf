// Completion for fish.
#include <fmt/format.h>

#include "app/completion.h"

namespace unroll::app {
namespace {

/// fish has escapes inside of single quotes.
std::string fish_quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += (c == '\'' || c == '\\' ? "\\" : "") + std::string(1, c);
  return result + "'";
}

/// fish's condition for standing right behind the words of `command`.
std::string fish_condition(const CommandEntry& command) {
  std::string condition;
  for (std::size_t space = command.path.find(' '); space != std::string::npos;) {
    const std::size_t end = command.path.find(' ', space + 1);
    condition += fmt::format("{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ",
                             command.path.substr(space + 1, end - space - 1));
    space = end;
  }
  if (command.commands.empty()) return condition;
  return fmt::format("{}not __fish_seen_subcommand_from {}",
                     condition.empty() ? "" : condition + "; and ",
                     fmt::join(names_of(command.commands), " "));
}

/// What to offer for a value.
std::string fish_offers(const OptionEntry& option) {
  std::string offers = fmt::format("{}", fmt::join(option.choices, " "));
  if (option.paths == Paths::folders) offers += " (__fish_complete_directories)";
  return offers.empty() ? "" : " -a " + fish_quoted(offers);
}

}  // namespace

void print_fish_completion(const CommandEntry& program) {
  fmt::print("# fish: unroll completion fish | source\n");
  for (const CommandEntry* command : all_commands(program)) {
    const std::string when = "complete -c unroll -n " + fish_quoted(fish_condition(*command));
    for (const CommandEntry& below : command->commands)
      fmt::print("{} -f -a {} -d {}\n", when, below.name, fish_quoted(below.description));
    bool files = false;
    for (const OptionEntry& argument : command->arguments) {
      files = files || argument.paths == Paths::files;
      if (const std::string offers = fish_offers(argument); !offers.empty())
        fmt::print("{}{}\n", when, offers);
    }
    if (!files) fmt::print("{} -f\n", when);
    for (const OptionEntry& flag : command->flags) {
      std::string names;
      for (const std::string& name : flag.names)
        names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      const char* value = !flag.takes_value() ? "" : flag.paths == Paths::files ? " -r -F" : " -x";
      fmt::print("{}{}{}{} -d {}\n", when, names, value, fish_offers(flag), fish_quoted(flag.help));
    }
  }
}

}  // namespace unroll::app
