#include "app/verb_list.h"

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

// "Example:\n  EXAMPLE\n\nDESCRIPTION", where the verb's formatter puts an example first.
std::string example_of(const CLI::App& verb) {
  const auto* formatter = dynamic_cast<const CLI::Formatter*>(verb.get_formatter().get());
  const std::string text = formatter ? formatter->make_description(&verb) : "";
  const std::string head = "Example:\n  ";
  if (!text.starts_with(head)) return "";
  return text.substr(head.size(), text.find('\n', head.size()) - head.size());
}

void append(const CLI::App& verb, const std::string& path, std::vector<VerbEntry>& list) {
  VerbEntry entry{path, verb.get_description(), example_of(verb), {}, {}, {}, verb.get_footer()};
  for (const CLI::Option* option : verb.get_options())
    if (!option->get_group().empty())
      (option->get_positional() ? entry.positionals : entry.flags).push_back(entry_of(*option));
  const auto below = verb.get_subcommands([](const CLI::App* sub) {
    return !sub->get_name().empty() &&
           !sub->get_group().empty();  // neither option group nor hidden
  });
  for (const CLI::App* sub : below) entry.verbs.push_back(sub->get_name());
  list.push_back(std::move(entry));
  for (const CLI::App* sub : below) append(*sub, path + " " + sub->get_name(), list);
}

}  // namespace

std::vector<VerbEntry> list_verbs(const CLI::App& program) {
  std::vector<VerbEntry> list;
  append(program, program.get_name(), list);
  return list;
}

}  // namespace unroll::app
