#include "app/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace unroll::app {
namespace {

constexpr std::size_t kWidth = 80, kIndent = 2, kHelpColumn = 28;

}  // namespace

std::string wrapped_text(std::string_view text, std::size_t left) {
  std::string result;
  std::size_t column = left;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (column > left && column + 1 + end > kWidth) {
      result += "\n" + std::string(left, ' ');
      column = left;
    } else if (column > left) {
      result += ' ';
      ++column;
    }
    result += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

namespace {

/// A name, and at the column of help what it means.
std::string line(const std::string& name, const std::string& help) {
  std::string text = std::string(kIndent, ' ') + name;
  if (help.empty()) return text + "\n";
  if (text.size() + 2 > kHelpColumn)
    text += "\n" + std::string(kHelpColumn, ' ');
  else
    text.resize(kHelpColumn, ' ');
  return text + wrapped_text(help, kHelpColumn) + "\n";
}

/// Puts entries under their headings, in the order in which headings first appear.
class Sections {
 public:
  void add(const std::string& heading, const std::string& text) {
    auto found = std::ranges::find(sections_, heading, &Section::first);
    if (found == sections_.end()) found = sections_.insert(found, {heading, ""});
    found->second += text;
  }
  std::string text() const {
    std::string all;
    for (const auto& [heading, lines] : sections_) all += "\n" + heading + ":\n" + lines;
    return all;
  }

 private:
  using Section = std::pair<std::string, std::string>;
  std::vector<Section> sections_;
};

}  // namespace

std::string typed_form(const OptionEntry& option) {
  std::string text = fmt::format("{}", fmt::join(option.names, ", "));
  if (!option.is_flag() || !option.takes_value()) return text;
  return text + (option.fewest == 0 ? " [" + option.value + "]" : " " + option.value);
}

std::string help_of(const OptionEntry& option) {
  if (!option.shows_default) return option.help;
  return fmt::format("{}. Default {}", option.help, option.default_value);
}

std::string usage_of(const CommandEntry& command) {
  std::string text = command.path;
  if (!command.commands.empty()) return text + " COMMAND [ARGUMENTS]";
  for (const OptionEntry& argument : command.arguments)
    text += fmt::format(fmt::runtime(argument.required ? " {}{}" : " [{}{}]"), argument.name(),
                        argument.repeatable ? "..." : "");
  for (const OptionEntry& flag : command.flags)
    if (flag.required) text += " " + flag.name() + " " + flag.value;
  return command.flags.size() > 1 ? text + " [FLAGS]" : text;  // beside --help
}

std::string help_text(const CommandEntry& command) {
  std::string text;
  if (!command.example.empty()) text += "Example:\n  " + command.example + "\n\n";
  text += wrapped_text(command.description, 0) + "\n\nUsage: " + usage_of(command) + "\n";
  Sections sections;
  for (const OptionEntry& argument : command.arguments)
    sections.add("Arguments", line(argument.name(), help_of(argument)));
  for (const CommandEntry& below : command.commands)
    sections.add(below.heading.empty() ? "Commands" : below.heading,
                 line(below.name, below.description));
  // Flags without a heading of their own come last.
  for (const bool own : {true, false})
    for (const OptionEntry& flag : command.flags)
      if (flag.heading.empty() != own)
        sections.add(own ? flag.heading : "Flags", line(typed_form(flag), help_of(flag)));
  text += sections.text();
  return text + "\n" +
         (command.notes.empty() ? "Environment, exit codes and documentation: unroll --help\n"
                                : command.notes);
}

}  // namespace unroll::app
