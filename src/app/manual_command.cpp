// unroll manual: the man page.
#include <fmt/format.h>

#include "app/commands.h"
#include "app/help.h"

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

void print_option(const OptionEntry& option) {
  std::string names;
  for (const std::string& name : option.names)
    names += fmt::format("{}\\fB{}\\fR", names.empty() ? "" : ", ", plain(name));
  const std::string value =
      option.is_flag() && option.takes_value() ? " \\fI" + plain(option.value) + "\\fR" : "";
  fmt::print(".TP\n{}{}\n{}\n", names, value, plain(help_of(option)));
}

void print_command(const CommandEntry& command) {
  std::string arguments;
  for (const OptionEntry& argument : command.arguments) {
    const std::string name = "\\fI" + plain(argument.name()) + "\\fR";
    arguments += argument.required ? " " + name : " [" + name + "]";
  }
  if (!command.commands.empty()) arguments += " \\fICOMMAND\\fR";
  fmt::print(".SS \\fB{}\\fR{}\n{}\n", plain(command.path), arguments, plain(command.description));
  if (!command.example.empty()) fmt::print(".PP\n.EX\n    {}\n.EE\n", plain(command.example));
  for (const OptionEntry& argument : command.arguments) print_option(argument);
  for (const OptionEntry& flag : command.flags)
    if (flag.name() != "--help") print_option(flag);  // stands above all commands
}

int print_manual(const CommandEntry& program) {
  // No date: the same sources make the same page.
  fmt::print(
      ".TH UNROLL 1 \"\" \"unroll {}\" \"User Commands\"\n"
      ".SH NAME\nunroll \\- recurrent neural networks on the CPU, to the bit\n"
      ".SH SYNOPSIS\n\\fBunroll\\fR \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]\n"
      ".SH DESCRIPTION\n{}\n.SH FLAGS\n",
      UNROLL_VERSION, plain(program.description));
  for (const OptionEntry& flag : program.flags) print_option(flag);
  fmt::print(".SH COMMANDS\n");
  for (const CommandEntry* command : all_commands(program))
    if (command != &program) print_command(*command);
  fmt::print(".SH NOTES\n.nf\n{}.fi\n", plain(program.notes));
  return kOk;
}

}  // namespace

void add_manual(Command& program) {
  Command command =
      program.add("manual", "Print the man page", "unroll manual | man --local-file -");
  command.set_work([program] { return print_manual(program.entry()); });
}

}  // namespace unroll::app
