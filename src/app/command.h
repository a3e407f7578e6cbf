// A command of the command line and its flags. command.cpp alone tells CLI11 of them, because CLI11
// is slow to compile.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/command_list.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace unroll::app {

/// A flag or an argument that a command has.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}

  Option required() const;
  /// How many values may follow; one if not said.
  Option values(int fewest, int most) const;
  /// May be given again, each time with one value, which help calls by this name.
  Option repeatable(const std::string& value_name) const;
  /// Help shows the value that the variable has now.
  Option shows_default() const;
  /// The heading under which help lists it.
  Option group(const std::string& heading) const;

  std::string name() const;  ///< "--threads"
  bool is_given() const;     ///< after parsing

 private:
  CLI::Option* option_;
};

/// The program, or one of its commands.
class Command {
 public:
  /// Of the program; `work` becomes the work of the command that was typed.
  Command(CLI::App& app, std::function<int()>& work) : app_(&app), work_(&work) {}

  /// A command below this one; its help starts with the example.
  Command add(const std::string& name, const std::string& description, const std::string& example);
  /// A command below must be typed.
  void needs_command();

  /// A flag with a value, or by a name without dashes an argument. T is std::string, int,
  /// std::int64_t, double, a std::optional of these, or a vector of strings.
  template <class T>
  Option option(const std::string& names, T& value, const std::string& help);
  /// A flag without a value.
  Option flag(const std::string& names, bool& given, const std::string& help);
  Option flag(const std::string& names, const std::function<void()>& given,
              const std::string& help);
  Option find(const std::string& name) const;  ///< one that was added

  /// What the command does once all is parsed. Returns the exit code.
  void set_work(const std::function<int()>& work);

  /// The command line as it is when all commands have been added.
  std::vector<CommandEntry> list() const { return list_commands(*app_); }

 private:
  CLI::App* app_;
  std::function<int()>* work_;
};

/// Puts an example before the description in the help of the program or a command.
void show_example_first(CLI::App& app, const std::string& example);

}  // namespace unroll::app
