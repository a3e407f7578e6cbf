#include "app/command_line.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "app/arguments.h"
#include "app/commands.h"
#include "app/download.h"
#include "app/help.h"
#include "app/messages.h"
#include "app/version.h"
#include "kernels/table.h"
#include "run/stop_signal.h"

namespace unroll::app {
namespace {

constexpr const char* kNotes =
    "Environment:\n"
    "  UNROLL_DATA_DIR           Folder of data sets, if --data-dir is not given\n"
    "  UNROLL_ISA                Instruction set: avx512, avx2, neon or scalar\n"
    "\n"
    "Exit codes:\n"
    "  0                         Done\n"
    "  1                         Failed\n"
    "  2                         The command line is wrong\n"
    "  129, 130, 143             Stopped by SIGHUP, SIGINT (Ctrl-C) or SIGTERM\n"
    "  141                       Nobody reads stdout\n"
    "\n"
    "More help:\n"
    "  unroll help COMMAND       Help on one command\n"
    "  docs/README.md            Documentation in the source tree\n"
    "  /usr/share/doc/unroll     Documentation, installed with the Debian package\n";

/// The message of a mistake names the flag; it needs no "[usage]" in front.
int report(const std::exception& error, int code) {
  const auto* ours = dynamic_cast<const Error*>(&error);
  say_error(ours && ours->operation() == "usage" ? ours->reason() : error.what());
  return code;
}

/// Whether stdout is a pipe that nobody reads any more.
bool reader_is_gone() {
  pollfd results{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&results, 1, 0) > 0 && (results.revents & POLLERR) != 0;
}

/// Output that can't be written is a failure. A reader that has gone, such as head, wants no more:
/// then the program ends as quietly as SIGPIPE would end it. The parent may have set SIGPIPE to be
/// ignored.
int finish_results(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  const int error = errno;
  if (reader_is_gone()) return kReaderGone;
  say_error(fmt::format("can't write to stdout: {}", std::strerror(error)));
  return code == kOk ? kFailed : code;
}

void add_commands(CommandEntry& entry) {
  Command program(entry);
  program.flag(
      "-h,--help", [] {}, "Show this help");
  program.flag(
      "-V,--version", [] {}, "Show the version and the libraries in use");
  // In the order of the work.
  program.start_group("Main commands");
  add_data(program);
  add_train(program);
  add_report(program);
  add_eval(program);
  add_predict(program);
  add_export(program);
  program.start_group("Other commands");
  add_runs(program);
  add_models(program);
  add_inspect(program);
  add_verify(program);
  add_import(program);
  add_bench(program);
  add_signature(program);
  add_completion(program);
  add_manual(program);
  add_help(program);
}

}  // namespace

int run(int argc, const char* const* argv) {
  CommandEntry program;
  program.path = "unroll";
  program.description =
      "Train and run recurrent neural networks on the CPU. Every machine computes the same bits.";
  program.example = "unroll train mnist";
  program.notes = kNotes;
  add_commands(program);

  return finish_work([&] {
    const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    const Request request = read_arguments(program, words);
    if (request.kind == Request::Kind::help) fmt::print("{}", help_text(*request.command));
    if (request.kind == Request::Kind::version) fmt::print("{}\n", version_text());
    if (request.kind != Request::Kind::work) return +kOk;
    kernels::instruction_set();  // throws where UNROLL_ISA names what this machine lacks
    return request.command->work();
  });
}

int finish_work(const std::function<int()>& work) {
  try {
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
    if (error.code() == std::errc::broken_pipe) return kReaderGone;
    if (!std::ferror(stdout)) return report(error, kFailed);
    say_error(fmt::format("can't write to stdout: {}", error.code().message()));
    return kFailed;
  } catch (const std::exception& error) {
    return report(error, kFailed);
  }
}

}  // namespace unroll::app
