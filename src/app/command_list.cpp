#include "app/command_list.h"

#include <CLI/CLI.hpp>

namespace unroll::app {
namespace {

FlagEntry entry_of(const CLI::Option& option) {
  FlagEntry entry;
  entry.description = option.get_description();
  if (option.get_items_expected_max() > 0) entry.value = option.get_type_name();
  if (option.get_positional()) {
    entry.names = {option.get_name(true)};
    return entry;
  }
  for (const std::string& name : option.get_snames()) entry.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) entry.names.push_back("--" + name);
  return entry;
}

// "Example:\n  EXAMPLE\n\nDESCRIPTION", where the command's formatter puts an example first.
std::string example_of(const CLI::App& command) {
  const auto* formatter = dynamic_cast<const CLI::Formatter*>(command.get_formatter().get());
  const std::string text = formatter ? formatter->make_description(&command) : "";
  const std::string head = "Example:\n  ";
  if (!text.starts_with(head)) return "";
  return text.substr(head.size(), text.find('\n', head.size()) - head.size());
}

void append(const CLI::App& command, const std::string& path, std::vector<CommandEntry>& list) {
  CommandEntry entry{path, command.get_description(), example_of(command), {}, {},
                     {},   command.get_footer()};
  for (const CLI::Option* option : command.get_options())
    if (!option->get_group().empty())
      (option->get_positional() ? entry.positionals : entry.flags).push_back(entry_of(*option));
  const auto below = command.get_subcommands([](const CLI::App* sub) {
    return !sub->get_name().empty() &&
           !sub->get_group().empty();  // neither option group nor hidden
  });
  for (const CLI::App* sub : below) entry.commands.push_back(sub->get_name());
  list.push_back(std::move(entry));
  for (const CLI::App* sub : below) append(*sub, path + " " + sub->get_name(), list);
}

}  // namespace

std::vector<CommandEntry> list_commands(const CLI::App& program) {
  std::vector<CommandEntry> list;
  append(program, program.get_name(), list);
  return list;
}

}  // namespace unroll::app
