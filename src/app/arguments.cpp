#include "app/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "app/help.h"
#include "app/other_words.h"
#include "app/usage_error.h"
#include "core/list_text.h"

namespace unroll::app {
namespace {

using Words = std::span<const std::string>;

/// "--" alone is none: what follows it are arguments. Neither is a negative number, nor "-".
bool looks_like_flag(std::string_view word) {
  if (word.size() < 2 || word[0] != '-' || word == "--") return false;
  return !(word[1] >= '0' && word[1] <= '9') && word[1] != '.';
}

bool looks_like_number(std::string_view word) {
  const std::size_t first = word.starts_with('-') ? 1 : 0;
  return word.size() > first && word[first] >= '0' && word[first] <= '9';
}

/// "lr" of "lr=0.1".
std::string before_value(const std::string& word) { return word.substr(0, word.find('=')); }

/// Without the dashes: only letters count for what is similar.
std::vector<std::string_view> long_names_of(const CommandEntry& command) {
  std::vector<std::string_view> names;
  for (const OptionEntry& flag : command.flags)
    for (const std::string_view name : flag.names)
      if (name.starts_with("--")) names.push_back(name.substr(2));
  return names;
}

class Reader {
 public:
  Reader(CommandEntry& program, CommandEntry& command, Words words)
      : program_(program), command_(command), words_(words) {}

  void read() {
    bool only_arguments = false;
    while (at_ < words_.size()) {
      const std::string& word = words_[at_++];
      if (!only_arguments && word == "--")
        only_arguments = true;
      else if (!only_arguments && looks_like_flag(word))
        read_flag(word);
      else
        read_argument(word);
    }
    for (OptionEntry& flag : command_.flags) check_and_read(flag);
    for (OptionEntry& argument : command_.arguments) check_and_read(argument);
    if (!command_.work)
      refuse(fmt::format("{} needs a command: {}", command_.path, list_of_commands()));
  }

 private:
  [[noreturn]] void refuse(const std::string& text) const {
    throw UsageError(fmt::format("{} (see: {} --help)", text, command_.path));
  }

  void read_flag(const std::string& word) {
    // --out=FILE, -oFILE or -o=FILE
    const bool is_long = word.starts_with("--");
    const std::size_t end = is_long ? std::min(word.find('='), word.size()) : 2;
    const std::string name = word.substr(0, end);
    OptionEntry* flag = find_flag(command_, name);
    if (!flag) refuse_flag(is_long ? name : word);
    std::vector<std::string> values;
    if (end < word.size()) values.push_back(word.substr(end + (word[end] == '=' ? 1 : 0)));
    if (!flag->takes_value()) {
      if (!values.empty())
        refuse(fmt::format("{} takes no value; leave {} out", name, word.substr(end)));
      ++flag->times;
      return;
    }
    while (values.size() < flag->most && at_ < words_.size() && words_[at_] != "--" &&
           !looks_like_flag(words_[at_]) && (flag->fewest > 0 || looks_like_number(words_[at_])))
      values.push_back(words_[at_++]);
    if (values.size() < flag->fewest)
      refuse(fmt::format("{} needs {}; type {} {}", name,
                         flag->fewest == 1 ? "a value" : fmt::format("{} values", flag->fewest),
                         name, flag->value));
    if (++flag->times > 1 && !flag->repeatable)
      refuse(fmt::format("{} is given twice; give it once", name));
    flag->values.insert(flag->values.end(), values.begin(), values.end());
  }

  void read_argument(const std::string& word) {
    if (!command_.commands.empty()) refuse_command(word);
    for (OptionEntry& argument : command_.arguments)
      if (argument.values.size() < argument.most) {
        ++argument.times;
        argument.values.push_back(word);
        return;
      }
    const std::string name = "--" + before_value(word);
    if (find_flag(command_, name))  // lr=0.1
      refuse(fmt::format("the argument {} is not expected; did you mean {}?", word, name));
    refuse(fmt::format("the argument {} is not expected; type {}", word, usage_of(command_)));
  }

  void check_and_read(OptionEntry& option) {
    if (option.times == 0) {
      if (!option.required) return;
      refuse(
          option.is_flag()
              ? fmt::format("{} is missing; give {} {}", option.name(), option.name(), option.value)
              : fmt::format("{} is missing; type {}", option.name(), usage_of(command_)));
    }
    for (const std::string& value : option.values) {
      // Nearly always a variable that is not set: never as if the flag had been left out.
      if (value.empty())
        refuse(fmt::format("{} is empty; is a shell variable not set?", option.name()));
      const std::vector<std::string_view> choices(option.choices.begin(), option.choices.end());
      if (option.only_choices && std::ranges::find(choices, value) == choices.end())
        refuse(fmt::format("{} {} is not known; choose {}{}", option.name(), value,
                           text_with_or(option.choices), suggestion(value, choices)));
    }
    if (option.takes_value() && option.values.empty()) return;
    try {
      option.read(option);
    } catch (const UsageError& error) {
      refuse(std::string(error.reason()));
    }
  }

  std::string list_of_commands() const {
    const auto names = names_of(command_.commands);
    return text_with_or({names.begin(), names.end()});
  }

  [[noreturn]] void refuse_command(const std::string& word) const {
    refuse(fmt::format("the command {} is not known{}", word,
                       suggestion(word, names_of(command_.commands))));
  }

  [[noreturn]] void refuse_flag(const std::string& name) const {
    // A command may stand behind it.
    for (const std::string& word : words_.subspan(at_))
      if (const CommandEntry* later = find_command(command_, word))
        refuse(fmt::format("{} is typed too early: the command comes first, as in: {} {}", name,
                           later->path, name));
    std::string argument = name.substr(std::min<std::size_t>(2, name.size()));
    for (char& c : argument)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (std::ranges::find(command_.arguments, argument, &OptionEntry::name) !=
        command_.arguments.end())
      refuse(fmt::format("{} is an argument, not a flag; type {}", argument, usage_of(command_)));
    refuse(fmt::format("the flag {} is not known{}", name, about_flag(name)));
  }

  std::string about_flag(const std::string& name) const {
    if (!name.starts_with("--")) return "";
    const std::string bare = name.substr(2);
    if (const std::string why = why_not(bare); !why.empty()) return "; " + why;
    if (std::string text = suggestion(bare, long_names_of(command_), "--"); !text.empty())
      return text;
    for (const CommandEntry* other : all_commands(program_)) {
      const auto names = long_names_of(*other);
      if (std::ranges::find(names, bare) != names.end())
        return fmt::format("; it is a flag of {}", other->path);
    }
    return "";
  }

  CommandEntry& program_;
  CommandEntry& command_;
  Words words_;
  std::size_t at_ = 0;
};

/// Whether one of the names is among the words before "--".
bool has_word(Words words, std::initializer_list<std::string_view> names) {
  for (const std::string& word : words) {
    if (word == "--") return false;
    if (std::ranges::find(names, word) != names.end()) return true;
  }
  return false;
}

}  // namespace

Request read_arguments(CommandEntry& program, Words words) {
  CommandEntry* command = &program;
  std::size_t at = 0;
  for (; at < words.size(); ++at) {
    const auto below = std::ranges::find(command->commands, words[at], &CommandEntry::name);
    if (below == command->commands.end()) break;
    command = &*below;
  }
  const Words rest = words.subspan(at);
  const bool names_command = command->commands.empty() || rest.empty() || looks_like_flag(rest[0]);
  // Help is given whatever else was typed, but not for a command that is misspelt.
  if (names_command && has_word(rest, {"-h", "--help"})) return {Request::Kind::help, command};
  if (command == &program && names_command && has_word(rest, {"-V", "--version"}))
    return {Request::Kind::version, command};
  Reader(program, *command, rest).read();
  return {Request::Kind::work, command};
}

}  // namespace unroll::app
