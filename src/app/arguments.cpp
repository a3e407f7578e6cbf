#include "app/arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
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

/// "--" alone is none: what follows it are arguments. Neither is "-".
bool looks_like_flag(std::string_view word) {
  return word.size() > 1 && word[0] == '-' && word != "--";
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

  /// CLI11 finds out which words belong to which flag; what to say of mistakes is decided here.
  void read() {
    check_equals_signs();
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    std::vector<std::pair<OptionEntry*, const CLI::Option*>> options;
    for (OptionEntry& flag : command_.flags) options.emplace_back(&flag, add_to(app, flag));
    for (OptionEntry& argument : command_.arguments)
      options.emplace_back(&argument, add_to(app, argument));
    try {
      app.parse(words_for_cli11());
    } catch (const CLI::RequiredError&) {  // check_and_read() says which
    } catch (const CLI::ArgumentMismatch&) {
      refuse_end();
    }
    refuse_extras(app.remaining());
    if (!command_.work) refuse(fmt::format("a command is missing; choose {}", list_of_commands()));
    for (const auto& [entry, option] : options) {
      entry->times = static_cast<int>(option->count());
      if (entry->takes_value()) entry->values = option->results();
      check_and_read(*entry);
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& text) const {
    throw UsageError(fmt::format("{} (see: {} --help)", text, command_.path));
  }

  static CLI::Option* add_to(CLI::App& app, const OptionEntry& entry) {
    const std::string names = fmt::format("{}", fmt::join(entry.names, ","));
    if (!entry.takes_value() || entry.fewest == 0) return app.add_flag(names);
    return app.add_option(names, [](const CLI::results_t&) { return true; })
        ->expected(static_cast<int>(entry.fewest), static_cast<int>(entry.most))
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)  // check_and_read() counts
        ->allow_extra_args(!entry.is_flag() && entry.repeatable)
        ->required(entry.required);
  }

  /// The words from the last to the first. A value that may be left out must be a number, and is
  /// joined to its flag: CLI11 would take any word for it, also the data set.
  std::vector<std::string> words_for_cli11() const {
    std::vector<std::string> joined;
    bool only_arguments = false;
    for (const std::string& word : words_) {
      only_arguments |= word == "--";
      const OptionEntry* before =
          joined.empty() || only_arguments ? nullptr : find_flag(command_, joined.back());
      if (before && before->takes_value() && before->fewest == 0 && looks_like_number(word))
        joined.back() += "=" + word;
      else
        joined.push_back(word);
    }
    return {joined.rbegin(), joined.rend()};
  }

  /// CLI11 would take the word behind "--out=" for its value, and count "--quiet=3" three times.
  void check_equals_signs() const {
    for (const std::string& word : words_) {
      if (word == "--") return;
      const std::string name = before_value(word);
      const OptionEntry* flag = name == word ? nullptr : find_flag(command_, name);
      if (!flag) continue;
      if (!flag->takes_value())
        refuse(fmt::format("{} takes no value; leave {} out", name, word.substr(name.size())));
      if (word.size() == name.size() + 1) refuse_empty(name);
    }
  }

  [[noreturn]] void refuse_empty(const std::string& name) const {
    // Nearly always a variable that is not set: never as if the flag had been left out.
    refuse(fmt::format("{} is empty; is a shell variable not set?", name));
  }

  [[noreturn]] void refuse_missing_value(const OptionEntry& flag) const {
    refuse(fmt::format("{} needs {}; type {} {}", flag.name(),
                       flag.fewest == 1 ? "a value" : fmt::format("{} values", flag.fewest),
                       flag.name(), flag.value));
  }

  /// The words ended before the last flag had its values.
  [[noreturn]] void refuse_end() const {
    for (std::size_t i = words_.size(); i-- > 0;)
      if (const OptionEntry* flag = find_flag(command_, words_[i])) refuse_missing_value(*flag);
    refuse(fmt::format("a value is missing; type {}", usage_of(command_)));
  }

  void refuse_extras(const std::vector<std::string>& extras) const {
    const auto word = std::ranges::find_if(extras, [](const auto& w) { return w != "--"; });
    if (word == extras.end()) return;
    if (!command_.commands.empty() && !looks_like_flag(*word)) refuse_command(*word);
    const auto flag = std::ranges::find_if(extras, looks_like_flag);
    if (flag != extras.end()) refuse_flag(before_value(as_typed(*flag)));
    const std::string name = "--" + before_value(*word);
    if (find_flag(command_, name))  // lr=0.1
      refuse(fmt::format("the argument {} is not expected; did you mean {}?", *word, name));
    refuse(fmt::format("the argument {} is not expected; type {}", *word, usage_of(command_)));
  }

  /// CLI11 takes -help apart, into -h and -elp.
  std::string as_typed(const std::string& flag) const {
    if (std::ranges::find(words_, flag) != words_.end()) return flag;
    const auto whole = std::ranges::find_if(words_, [&](const std::string& word) {
      return looks_like_flag(word) && word.ends_with(flag.substr(1));
    });
    return whole == words_.end() ? flag : *whole;
  }

  void check_and_read(OptionEntry& option) {
    if (option.times == 0) {
      if (!option.required) return;
      refuse(
          option.is_flag()
              ? fmt::format("{} is missing; give {} {}", option.name(), option.name(), option.value)
              : fmt::format("{} is missing; type {}", option.name(), usage_of(command_)));
    }
    if (option.fewest == 0) std::erase(option.values, "true");  // CLI11's sign for none
    if (option.takes_value() && option.values.size() < option.fewest) refuse_missing_value(option);
    if (option.values.size() > option.most && !option.repeatable)
      refuse(fmt::format("{} is given twice; give it once", option.name()));
    for (const std::string& value : option.values) {
      if (value.empty()) refuse_empty(option.name());
      if (option.is_flag() && find_flag(command_, value)) refuse_missing_value(option);
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

  [[noreturn]] void refuse_behind_dashes(const std::string& word) const {
    refuse(fmt::format("{} stands behind --, where every word is an argument; type it before --",
                       word));
  }

  [[noreturn]] void refuse_command(const std::string& word) const {
    if (find_command(command_, word)) refuse_behind_dashes(word);
    refuse(fmt::format("the command {} is not known{}", word,
                       suggestion(word, names_of(command_.commands))));
  }

  [[noreturn]] void refuse_flag(const std::string& name) const {
    if (find_flag(command_, name)) refuse_behind_dashes(name);
    // A command may stand behind it.
    for (const std::string& word : words_)
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
    const std::string bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
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
