// unroll runs: the runs of a folder as a table.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/json_line.h"
#include "app/messages.h"
#include "core/folder.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "report/run_record.h"
#include "run/metrics.h"
#include "run/run_folder.h"

namespace unroll::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// A folder of a run, or what is wrong with it.
struct ListedRun {
  std::string name, path;
  std::optional<report::RunRecord> record = {};
  std::string fault = {};
};

/// Whether the folder has any file of a run.
bool has_a_run(const std::string& path) {
  const auto names = Folder("runs", path).names();
  return std::ranges::any_of(names,
                             [](const std::string& name) { return run::is_name_of_a_run(name); });
}

std::vector<ListedRun> runs_in(const std::string& folder) {
  auto names = Folder("runs", folder).names();
  std::ranges::sort(names);
  std::vector<ListedRun> all;
  for (const std::string& name : names) {
    std::error_code ignored;
    ListedRun run{name, (fs::path(folder) / name).string()};
    if (!fs::is_directory(run.path, ignored)) continue;
    try {
      if (!has_a_run(run.path)) continue;
      run.record = report::read_run(run.path);
    } catch (const Error& error) {
      run.fault = error.reason();
    }
    all.push_back(std::move(run));
  }
  return all;
}

std::string steps_text(const report::RunRecord& run) {
  const auto steps = run.steps();
  return steps && *steps != run.step ? fmt::format("{}/{}", run.step, *steps)
                                     : fmt::format("{}", run.step);
}

/// "accuracy 98.97 %", the first metric of the last test.
std::string metric_text(const report::RunRecord& run) {
  if (!run.result()) return "-";
  const auto metrics = report::metrics_of(*run.result());
  if (metrics.empty()) return "-";
  const train::Metric& m = metrics.front();
  return m.is_share() ? fmt::format("{} {:.2f} %", m.name, m.value)
                      : fmt::format("{} {:.6g}", m.name, m.value);
}

void print_table(const std::vector<ListedRun>& runs) {
  using Row = std::vector<std::string>;
  std::vector<Row> rows = {
      {"name", "status", "steps", "result", "loss", "data", "model", "seed", "lr"}};
  for (const ListedRun& run : runs) {
    if (!run.record) continue;
    const report::RunRecord& r = *run.record;
    rows.push_back({printable(run.name), std::string(r.status_name()), steps_text(r),
                    metric_text(r), r.result() ? fmt::format("{:.4g}", r.result()->loss) : "-",
                    printable(r.config.dataset), std::string(train::name_of(r.config.model)),
                    fmt::format("{}", r.config.seed), fmt::format("{}", r.config.lr)});
  }
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  if (rows.size() > 1)
    for (const Row& row : rows) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i)
        line += i + 1 < row.size() ? fmt::format("{:<{}}  ", row[i], widths[i]) : row[i];
      fmt::print("{}\n", line);
    }
  for (const ListedRun& run : runs)
    if (!run.record) fmt::print("{}: {}\n", printable(run.name), printable(run.fault));
}

/// A line for each run.
void print_runs_as_json(const std::vector<ListedRun>& runs) {
  for (const ListedRun& run : runs) {
    Json line = {{"event", "run"}, {"name", run.name}, {"folder", run.path}};
    if (run.record) {
      const report::RunRecord& r = *run.record;
      line["status"] = r.status_name();
      line["step"] = r.step;
      line["steps"] = r.steps() ? Json(*r.steps()) : Json();
      if (r.result()) {
        const train::Evaluation result{.loss = r.result()->loss,
                                       .metrics = report::metrics_of(*r.result())};
        line["loss"] = result.loss;
        run::add_metrics(line, result);
      }
      line["dataset"] = r.config.dataset;
      line["model"] = train::name_of(r.config.model);
      line["recipe"] = r.config.recipe;
      line["seed"] = r.config.seed;
      line["lr"] = r.config.lr;
    } else {
      line["error"] = run.fault;
    }
    fmt::print("{}\n", json_line(line));
  }
}

struct RunsFlags {
  std::string folder = "runs";
  bool json = false;
};

int work(const RunsFlags& flags) {
  std::error_code ignored;
  if (flags.folder == RunsFlags().folder && !fs::exists(flags.folder, ignored))
    throw FileError("runs",
                    "there is no folder runs here; train a network, or name a folder of "
                    "runs: unroll runs FOLDER");
  const std::vector<ListedRun> runs = runs_in(flags.folder);
  if (runs.empty() && has_a_run(flags.folder))
    throw UsageError(
        fmt::format("{} is the folder of one run; name the folder above it, or see "
                    "the run: unroll report {}",
                    flags.folder, shell_word(flags.folder)));
  if (runs.empty()) tell("no runs in {}\n", printable(flags.folder));
  (flags.json ? print_runs_as_json : print_table)(runs);
  return kOk;
}

}  // namespace

void add_runs(Command& program) {
  Command command =
      program.add("runs", "List the runs of a folder, with their results", "unroll runs");
  const auto flags = std::make_shared<RunsFlags>();
  command.option("folder", flags->folder, "Folder with the folders of runs. Default runs").folder();
  command.flag("--json", flags->json, "One line of JSON for each run");
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
