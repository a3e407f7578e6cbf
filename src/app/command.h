// How a command declares its flags, arguments and work.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/command_entry.h"

namespace unroll::app {

/// The help of --threads.
inline constexpr const char* kThreadsHelp =
    "Threads to use. Default: all cores this process may use";

/// A flag or an argument that a command has.
class Option {
 public:
  explicit Option(OptionEntry& entry) : entry_(&entry) {}

  Option required() const;
  /// How help calls the value: "FILE", "N".
  Option value(const std::string& name) const;
  /// The value is a file or a folder, and shells offer those.
  Option file(const std::string& name = "FILE") const;
  Option folder(const std::string& name = "FOLDER") const;
  /// The value is one of these. Any other is refused, with a suggestion.
  Option choices(const std::vector<std::string_view>& names) const;
  /// Shells offer these values, but others are fine too.
  Option offers(const std::vector<std::string_view>& names) const;
  /// How many values may follow; one if not said. A value that may be left out must be a number.
  Option values(std::size_t fewest, std::size_t most) const;
  /// A flag may be typed again, each time with one value; an argument may have several words.
  Option repeatable(const std::string& value_name) const;
  /// Help shows the value that the variable has now.
  Option shows_default() const;
  /// The heading under which help lists it.
  Option group(const std::string& heading) const;

  const std::string& name() const { return entry_->name(); }  ///< "--threads"
  bool is_given() const { return entry_->times > 0; }         ///< after parsing

 private:
  OptionEntry* entry_;
};

/// The program, or one of its commands.
class Command {
 public:
  explicit Command(CommandEntry& entry) : entry_(&entry) {}

  /// A command below this one; its help starts with the example.
  Command add(const std::string& name, const std::string& description, const std::string& example);
  /// Help lists the commands that are added from now on under this heading.
  void start_group(const std::string& heading) { heading_ = heading; }

  /// A flag with a value, or an argument by a name without dashes. T is std::string, int,
  /// std::int64_t, double, a std::optional of these, or a vector of strings.
  template <class T>
  Option option(const std::string& names, T& value, const std::string& help);
  /// A flag without a value.
  Option flag(const std::string& names, bool& given, const std::string& help);
  Option flag(const std::string& names, const std::function<void()>& given,
              const std::string& help);
  Option find(const std::string& name) const;  ///< a flag that was added

  /// What the command does once all is parsed. Returns the exit code.
  void set_work(const std::function<int()>& work) { entry_->work = work; }

  const CommandEntry& entry() const { return *entry_; }

 private:
  OptionEntry& add_entry(const std::string& names, const std::string& help);

  CommandEntry* entry_;
  std::string heading_;
};

}  // namespace unroll::app
