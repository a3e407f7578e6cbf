// unroll report: runs as one page of HTML.
#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/report_file.h"
#include "app/set_summary.h"
#include "core/file.h"
#include "core/printable.h"
#include "run/output_file.h"

namespace unroll::app {
namespace {

struct ReportFlags {
  std::vector<std::string> runs;
  std::string out;
};

bool is_summary(const std::string& path) {
  return std::filesystem::path(path).filename() == kSummaryFile;
}

/// The runs that were named. RUNS/* also names their reports and the summary of several runs, which
/// are left out.
std::vector<std::string> named_runs(const ReportFlags& flags) {
  std::vector<std::string> runs;
  for (const std::string& path : flags.runs)
    if (flags.runs.size() == 1 || !(is_report(path) || is_summary(path))) runs.push_back(path);
  if (runs.empty())
    throw UsageError("these are reports; name the folder of a run, such as runs/NAME");
  std::set<std::filesystem::path> named;
  std::error_code ignored;
  for (const std::string& run : runs)
    if (!named.insert(std::filesystem::weakly_canonical(run, ignored)).second)
      throw UsageError(fmt::format("{} is named twice; name each run once", run));
  return runs;
}

int work(const ReportFlags& flags) {
  const std::vector<std::string> runs = named_runs(flags);
  if (flags.out == "-") {
    fmt::print("{}", make_report(runs));
    return kOk;
  }
  for (const std::string& run : runs)
    if (!flags.out.empty()) run::check_output(flags.out, {run});
  const std::string path = flags.out.empty() ? default_report(runs) : flags.out;
  const std::string html = make_report(runs);
  write_file("report", path, std::string_view(html));
  fmt::print("{}: {} bytes\n", printable(path), html.size());
  return kOk;
}

}  // namespace

void add_report(Command& program) {
  Command command = program.add(
      "report",
      "Write a page about a run: curves, mistakes, the inside, the network itself. Several "
      "runs are compared.",
      "unroll report runs/mnist-rnn-tuned-seed0");
  const auto flags = std::make_shared<ReportFlags>();
  command.option("runs", flags->runs, "Folders of runs. Nothing in them changes")
      .required()
      .repeatable("RUN")
      .folder("RUN");
  command
      .option("-o,--out", flags->out,
              "The file to write; - is stdout. Default RUN.html; of several runs report.html")
      .file();
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
