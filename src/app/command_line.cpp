#include "app/command_line.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>
#include <vector>

#include "app/commands.h"
#include "app/download.h"
#include "app/messages.h"
#include "app/version.h"
#include "core/suggest.h"
#include "kernels/table.h"
#include "run/stop_signal.h"

namespace unroll::app {
namespace {

const std::string help_footer =
    "\nData sets are looked for in --data-dir, UNROLL_DATA_DIR, and the user's cache.\n"
    "UNROLL_ISA=avx512|avx2|neon|scalar forces an instruction set; results do not depend on it.\n" +
    std::string(kExitCodesText);

/// The command that was typed, as deep as there is one.
const CLI::App* deepest(const CLI::App& app) {
  for (const CLI::App* sub : app.get_subcommands()) return deepest(*sub);
  return &app;
}

/// "unroll data info"
std::string path_of(const CLI::App& command) {
  return command.get_parent() ? path_of(*command.get_parent()) + " " + command.get_name()
                              : command.get_name();
}

/// Suggests for the first argument that could not be understood.
std::string explain(const CLI::App& program, const CLI::ParseError& error) {
  const CLI::App* command = deepest(program);
  // A flag of the command's, typed before it, is left to the program itself.
  if (const auto early = program.remaining(false); command != &program && !early.empty())
    return fmt::format("{} is typed too early: the command comes first, as in: {} {}",
                       early.front(), path_of(*command), early.front());
  const std::vector<std::string> left = program.remaining(true);
  const auto unknown = std::ranges::find_if(left, [](const std::string& a) { return a != "--"; });
  if (unknown == left.end()) return error.what();
  std::vector<std::string> owned;
  const bool flag = unknown->starts_with("-");
  if (flag) {
    for (const CLI::Option* option : command->get_options())
      for (const std::string& name : option->get_lnames()) owned.push_back("--" + name);
  } else {
    for (const CLI::App* sub : command->get_subcommands([](const CLI::App*) { return true; }))
      owned.push_back(sub->get_name());
  }
  const std::vector<std::string_view> candidates(owned.begin(), owned.end());
  const std::string name = unknown->substr(0, unknown->find('='));
  const char* kind = flag ? "flag" : owned.empty() ? "argument" : "command";
  return fmt::format("the {} {} is not known{}", kind, name, did_you_mean(name, candidates));
}

/// A value that is empty is nearly always a shell's variable that is not set: never as if the flag
/// had been left out, or the current folder were meant.
void refuse_empty_values(CLI::App& command) {
  const auto reason = [](const std::string& value) -> std::string {
    return value.empty() ? "what is given is empty; is a variable not set?" : "";
  };
  for (CLI::Option* option : command.get_options())
    if (option->get_items_expected_min() > 0) option->check(reason);
  for (CLI::App* sub : command.get_subcommands([](CLI::App*) { return true; }))
    refuse_empty_values(*sub);
}

int report(const std::exception& error, int code) {
  say_error(error.what());
  return code;
}

/// Whether stdout is a pipe that nobody reads any more.
bool reader_is_gone() {
  pollfd results{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&results, 1, 0) > 0 && (results.revents & POLLERR) != 0;
}

/// Results that did not arrive are a failure. But who stopped reading wanted no more: then the end
/// is as quiet as the signal would make it, which the parent process may have set to be ignored.
int finish_results(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  const int error = errno;
  if (reader_is_gone()) return kReaderGone;
  say_error(fmt::format("can't write to stdout: {}", std::strerror(error)));
  return code == kOk ? kFailed : code;
}

}  // namespace

int run(int argc, const char* const* argv) {
  CLI::App program(
      "Trains and runs recurrent neural networks on the CPU, with the same bits everywhere.",
      "unroll");
  show_example_first(program, "unroll train mnist");
  program.footer(help_footer);
  program.set_version_flag("--version", version_text);
  program.allow_extras();
  std::function<int()> work;
  Command commands(program, work);
  add_train(commands);
  add_verify(commands);
  add_eval(commands);
  add_predict(commands);
  add_inspect(commands);
  add_import(commands);
  add_export(commands);
  add_data(commands);
  add_bench(commands);
  add_signature(commands);
  add_completion(commands);
  add_manual(commands);
  refuse_empty_values(program);

  try {
    program.parse(argc, argv);
    if (!program.remaining(true).empty()) throw CLI::ExtrasError(program.remaining(true));
    if (!work) throw CLI::RequiredError("a command");
  } catch (const CLI::Success& success) {  // --help, --version
    return finish_results(program.exit(success));
  } catch (const CLI::ParseError& error) {
    say_error(
        fmt::format("{} (see: {} --help)", explain(program, error), path_of(*deepest(program))));
    return kUsage;
  }

  try {
    kernels::instruction_set();  // throws where UNROLL_ISA names what this machine lacks
    return finish_results(work());
  } catch (const UsageError& error) {
    return report(error, kUsage);
  } catch (const ValueError& error) {
    return report(error, kUsage);
  } catch (const Cancelled& error) {
    return report(error, status_of_signal(run::stop_signal()));
  } catch (const std::bad_alloc&) {
    say_error("not enough memory for this; try a smaller model or batch");
    return kFailed;
  } catch (const std::system_error& error) {
    return error.code() == std::errc::broken_pipe ? kReaderGone : report(error, kFailed);
  } catch (const std::exception& error) {
    return report(error, kFailed);
  }
}

}  // namespace unroll::app
