#include "app/command.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>

namespace unroll::app {
namespace {

/// Help that starts with an example.
class ExampleFirst : public CLI::Formatter {
 public:
  explicit ExampleFirst(std::string example) : example_(std::move(example)) {}
  std::string make_description(const CLI::App* app) const override {
    return "Example:\n  " + example_ + "\n\n" + CLI::Formatter::make_description(app);
  }

 private:
  std::string example_;
};

}  // namespace

Option Option::required() const {
  option_->required();
  return *this;
}

Option Option::values(int fewest, int most) const {
  option_->expected(fewest, most);
  return *this;
}

Option Option::repeatable(const std::string& value_name) const {
  option_->type_name(value_name)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  return *this;
}

Option Option::shows_default() const {
  option_->capture_default_str();
  return *this;
}

Option Option::group(const std::string& heading) const {
  option_->group(heading);
  return *this;
}

std::string Option::name() const { return option_->get_name(); }

bool Option::is_given() const { return option_->count() > 0; }

Command Command::add(const std::string& name, const std::string& description,
                     const std::string& example) {
  CLI::App* command = app_->add_subcommand(name, description);
  show_example_first(*command, example);
  command->allow_extras();  // refused in run(), with a suggestion
  return {*command, *work_};
}

void Command::needs_command() { app_->require_subcommand(1); }

template <class T>
Option Command::option(const std::string& names, T& value, const std::string& help) {
  return Option(*app_->add_option(names, value, help));
}
template Option Command::option(const std::string&, std::string&, const std::string&);
template Option Command::option(const std::string&, int&, const std::string&);
template Option Command::option(const std::string&, std::int64_t&, const std::string&);
template Option Command::option(const std::string&, double&, const std::string&);
template Option Command::option(const std::string&, std::vector<std::string>&, const std::string&);
template Option Command::option(const std::string&, std::optional<std::string>&,
                                const std::string&);
template Option Command::option(const std::string&, std::optional<int>&, const std::string&);
template Option Command::option(const std::string&, std::optional<std::int64_t>&,
                                const std::string&);

Option Command::flag(const std::string& names, bool& given, const std::string& help) {
  return Option(*app_->add_flag(names, given, help));
}

Option Command::flag(const std::string& names, const std::function<void()>& given,
                     const std::string& help) {
  return Option(*app_->add_flag_callback(names, given, help));
}

Option Command::find(const std::string& name) const { return Option(*app_->get_option(name)); }

void Command::set_work(const std::function<int()>& work) {
  app_->callback([into = work_, work] { *into = work; });
}

void show_example_first(CLI::App& app, const std::string& example) {
  app.formatter(std::make_shared<ExampleFirst>(example));
}

}  // namespace unroll::app
