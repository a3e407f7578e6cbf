#include "app/command_entry.h"

#include <algorithm>

namespace unroll::app {

OptionEntry* find_flag(CommandEntry& command, const std::string& name) {
  const auto found = std::ranges::find_if(command.flags, [&](const OptionEntry& flag) {
    return std::ranges::find(flag.names, name) != flag.names.end();
  });
  return found == command.flags.end() ? nullptr : &*found;
}

const CommandEntry* find_command(const CommandEntry& command, const std::string& name) {
  const auto found = std::ranges::find(command.commands, name, &CommandEntry::name);
  return found == command.commands.end() ? nullptr : &*found;
}

std::vector<std::string_view> names_of(const std::list<CommandEntry>& commands) {
  std::vector<std::string_view> names;
  for (const CommandEntry& command : commands) names.push_back(command.name);
  return names;
}

std::vector<const CommandEntry*> all_commands(const CommandEntry& command) {
  std::vector<const CommandEntry*> all = {&command};
  for (const CommandEntry& below : command.commands) {
    const auto more = all_commands(below);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace unroll::app
