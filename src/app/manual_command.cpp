// unroll manual: the man page.
#include <fmt/format.h>

#include "app/commands.h"

namespace unroll::app {
namespace {

/// Text as roff takes it: neither a request nor an escape, and a - that can be copied.
std::string plain(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_line = i == 0 || text[i - 1] == '\n';
    if (starts_line && (text[i] == '.' || text[i] == '\'')) result += "\\&";
    if (text[i] == '\\')
      result += "\\e";
    else if (text[i] == '-')
      result += "\\-";
    else
      result += text[i];
  }
  return result;
}

void print_entry(const FlagEntry& entry) {
  std::string names;
  for (const std::string& name : entry.names)
    names += fmt::format("{}\\fB{}\\fR", names.empty() ? "" : ", ", plain(name));
  const std::string value = entry.value.empty() ? "" : " \\fI" + plain(entry.value) + "\\fR";
  fmt::print(".TP\n{}{}\n{}\n", names, value, plain(entry.description));
}

void print_command(const CommandEntry& command) {
  std::string arguments;
  for (const FlagEntry& positional : command.positionals)
    arguments += " \\fI" + plain(positional.names.front()) + "\\fR";
  if (!command.commands.empty()) arguments += " \\fIVERB\\fR";
  fmt::print(".SS \\fB{}\\fR{}\n{}\n", plain(command.path), arguments, plain(command.description));
  if (!command.example.empty()) fmt::print(".PP\n.EX\n    {}\n.EE\n", plain(command.example));
  for (const FlagEntry& entry : command.positionals) print_entry(entry);
  for (const FlagEntry& entry : command.flags) print_entry(entry);
}

int print_manual(const std::vector<CommandEntry>& commands) {
  const CommandEntry& all = commands.front();
  // No date: the same sources make the same page.
  fmt::print(
      ".TH UNROLL 1 \"\" \"unroll {}\" \"User Commands\"\n"
      ".SH NAME\nunroll \\- recurrent neural networks on the CPU, to the bit\n"
      ".SH SYNOPSIS\n\\fBunroll\\fR \\fIVERB\\fR [\\fIARGUMENTS\\fR]\n"
      ".SH DESCRIPTION\n{}\n.SH OPTIONS\n",
      UNROLL_VERSION, plain(all.description));
  for (const FlagEntry& entry : all.flags) print_entry(entry);
  fmt::print(".SH VERBS\n");
  for (const CommandEntry& command : commands)
    if (&command != &all) print_command(command);
  fmt::print(".SH NOTES\n.nf\n{}\n.fi\n", plain(all.notes));
  return kOk;
}

}  // namespace

void add_manual(Command& program) {
  Command command =
      program.add("manual", "Print the man page", "unroll manual | man --local-file -");
  command.set_work([program] { return print_manual(program.list()); });
}

}  // namespace unroll::app
