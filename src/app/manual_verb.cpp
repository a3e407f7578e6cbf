// unroll manual: the man page.
#include <fmt/format.h>

#include "app/verbs.h"

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

void print_verb(const VerbEntry& verb) {
  std::string arguments;
  for (const FlagEntry& positional : verb.positionals)
    arguments += " \\fI" + plain(positional.names.front()) + "\\fR";
  if (!verb.verbs.empty()) arguments += " \\fIVERB\\fR";
  fmt::print(".SS \\fB{}\\fR{}\n{}\n", plain(verb.path), arguments, plain(verb.description));
  if (!verb.example.empty()) fmt::print(".PP\n.EX\n    {}\n.EE\n", plain(verb.example));
  for (const FlagEntry& entry : verb.positionals) print_entry(entry);
  for (const FlagEntry& entry : verb.flags) print_entry(entry);
}

int print_manual(const std::vector<VerbEntry>& verbs) {
  const VerbEntry& all = verbs.front();
  // No date: the same sources make the same page.
  fmt::print(
      ".TH UNROLL 1 \"\" \"unroll {}\" \"User Commands\"\n"
      ".SH NAME\nunroll \\- recurrent neural networks on the CPU, to the bit\n"
      ".SH SYNOPSIS\n\\fBunroll\\fR \\fIVERB\\fR [\\fIARGUMENTS\\fR]\n"
      ".SH DESCRIPTION\n{}\n.SH OPTIONS\n",
      UNROLL_VERSION, plain(all.description));
  for (const FlagEntry& entry : all.flags) print_entry(entry);
  fmt::print(".SH VERBS\n");
  for (const VerbEntry& verb : verbs)
    if (&verb != &all) print_verb(verb);
  fmt::print(".SH NOTES\n.nf\n{}\n.fi\n", plain(all.notes));
  return kOk;
}

}  // namespace

void add_manual(Verb& program) {
  Verb verb = program.add("manual", "Print the man page", "unroll manual | man --local-file -");
  verb.set_work([program] { return print_manual(program.list()); });
}

}  // namespace unroll::app
