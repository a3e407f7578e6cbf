// unroll bench: compares the speed of training with this machine's peak speed.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "app/commands.h"
#include "app/messages.h"
#include "bench/machine.h"
#include "bench/measure.h"
#include "bench/peak.h"
#include "bench/report.h"
#include "kernels/table.h"
#include "run/stop_signal.h"
#include "unroll/core/threads.h"

namespace unroll::app {
namespace {

struct BenchFlags {
  int threads = 0;
  std::string only;
  double seconds = 1.5;
  bool all = false, json = false, list = false;
};

std::vector<bench::Workload> chosen_workloads(const BenchFlags& flags) {
  std::vector<bench::Workload> chosen;
  const bool any = flags.all || flags.list || !flags.only.empty();
  for (const bench::Workload& w : bench::workloads())
    if ((any || w.by_default) && bench::name_of(w).find(flags.only) != std::string::npos)
      chosen.push_back(w);
  if (chosen.empty())
    throw UsageError(
        fmt::format("--only {}: no workload has that in its name; --list shows them", flags.only));
  return chosen;
}

/// Each workload on one thread, on all threads, or on both.
std::vector<bench::Measured> runs_of(const std::vector<bench::Workload>& workloads, int threads) {
  std::vector<bench::Measured> runs;
  for (const bench::Workload& w : workloads) {
    if (w.on_one || threads == 1) runs.push_back({w, 1, {}});
    if (w.on_all && threads > 1) runs.push_back({w, threads, {}});
  }
  return runs;
}

/// Measures the machine's limits again and keeps the best: others may be using it too. The pool
/// has `threads` threads.
void measure_limits(bench::Report& report, int threads, double seconds) {
  double& peak = threads == 1 ? report.peak_gflops_core : report.peak_gflops_all;
  peak = std::max(peak, bench::fma_gflops(threads, seconds));
  if (threads == 1) report.l2_gb_per_s = std::max(report.l2_gb_per_s, bench::l2_gb_per_s(seconds));
}

int work(const BenchFlags& flags) {
  const auto workloads = chosen_workloads(flags);
  if (flags.list) {
    for (const bench::Workload& w : workloads) fmt::print("{}\n", bench::name_of(w));
    return kOk;
  }
  if (!(flags.seconds >= 0 && flags.seconds <= 3600))
    throw UsageError(fmt::format("--seconds {}, expected 0 to 3600", flags.seconds));
  set_num_threads(flags.threads);
  bench::Report report;
  report.cpu = bench::cpu_name();
  report.isa = kernels::instruction_set();
  report.threads = num_threads();
  report.lanes = bench::vector_lanes();
  report.l1_bytes = bench::l1_bytes();

  const run::CatchStopSignals guard;
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  const double limits_seconds = std::min(0.05, flags.seconds);
  const auto runs = runs_of(workloads, report.threads);
  for (const bench::Measured& run : runs) {
    if (run::stop_requested()) break;
    if (terminal)
      tell("\r\033[K{} of {}: {}, {} thread{}", &run - runs.data() + 1, runs.size(),
           bench::name_of(run.workload), run.threads, run.threads == 1 ? "" : "s");
    for (const int threads : {1, report.threads}) {
      set_num_threads(threads);
      measure_limits(report, threads, limits_seconds);
    }
    const bench::Timing timing =
        bench::measure(run.workload, run.threads, flags.seconds,
                       {.stop = [] { return run::stop_requested(); },
                        .pause = [&] { measure_limits(report, run.threads, 0.005); }});
    if (timing.runs > 0) report.workloads.push_back({run.workload, run.threads, timing});
  }
  if (report.threads == 1) report.peak_gflops_all = report.peak_gflops_core;
  if (terminal) tell("\r\033[K");
  // After a signal the finished measurements are still valid.
  if (flags.json)
    fmt::print("{}\n", bench::to_json(report, UNROLL_VERSION));
  else
    fmt::print("{}", bench::to_text(report));
  return run::stop_requested() ? status_of_signal(run::stop_signal()) : kOk;
}

}  // namespace

void add_bench(Command& program) {
  Command command = program.add(
      "bench", "Measure how close training comes to this machine's peak speed (about one minute)",
      "unroll bench --only train/rnn_relu/");
  const auto flags = std::make_shared<BenchFlags>();
  command.option("--threads", flags->threads,
                 "Threads to measure besides one thread. Default: all cores");
  command.option("--only", flags->only, "Run only workloads with this text in their names");
  command.flag("--all", flags->all, "Run all workloads (about two minutes)");
  command.option("--seconds", flags->seconds, "Seconds for each workload").shows_default();
  command.flag("--list", flags->list, "Print only the names of the workloads");
  command.flag("--json", flags->json, "Print one line of JSON");
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
