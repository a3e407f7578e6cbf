#include "app/train_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "app/child_runs.h"
#include "app/exit_code.h"
#include "app/json_line.h"
#include "app/messages.h"
#include "app/model_source.h"
#include "app/set_summary.h"
#include "app/usage_error.h"
#include "core/file.h"
#include "core/folder.h"
#include "core/printable.h"
#include "report/run_record.h"
#include "run/file_names.h"
#include "run/provenance.h"
#include "run/resume.h"
#include "run/stop_signal.h"
#include "train/baselines.h"
#include "train/evaluate.h"
#include "unroll/core/threads.h"

namespace unroll::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// The folder of a set: a new one, an empty one, or that of an earlier call.
std::string set_folder(const SetOfRuns& job, const train::Config& config,
                       const std::string& dataset) {
  const std::string path = job.out.empty() ? "runs/" + job.set.name(config, dataset) : job.out;
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw FileError("train", fmt::format("can't make {}: {}", path, error.message()));
  const Folder folder("train", path);
  if (!folder.names().empty() && !folder.has(kSummaryFile))
    throw UsageError(
        fmt::format("{} is not empty and holds no runs of --seeds, --folds or "
                    "--sweep; name a new folder with --out",
                    path));
  return path;
}

/// Refuses to go on with a run of other settings or data.
void check_same_run(const report::RunRecord& there, const Prepared& here) {
  std::vector<std::string> all = train::differences(there.config, here.config);
  const auto of_data = run::differences(there.provenance, here.provenance);
  all.insert(all.end(), of_data.begin(), of_data.end());
  if (!all.empty())
    throw UsageError(fmt::format("{} is a run of another kind; name a new folder with --out: {}",
                                 there.path, fmt::join(all, "; ")));
}

/// Goes on with the run in a folder, in a process of its own.
int go_on(const SetOfRuns& job, const Prepared& run, const std::string& path,
          Clock::time_point start) {
  const report::RunRecord record = report::read_run(path);
  check_same_run(record, run);
  if (record.status() == run::RunStatus::finished) return kOk;
  if (record.status() == run::RunStatus::diverged) return kFailed;
  run::ResumedRun resumed(path, say_note);
  const double loading = seconds_since(start);
  train::Trainer trainer(run.config, run.source, run::weights_of(run.initial));
  const auto& checkpoint = resumed.checkpoint();
  if (checkpoint) trainer.resume(*checkpoint);
  return train_to_end({run.config, job.data, *run.source, trainer, resumed.folder(), checkpoint,
                       Output::quiet, job.every, start, loading});
}

/// Makes one run, in a process of its own.
int make_run(const SetOfRuns& job, const SetRun& which, const std::string& path, int threads) {
  const auto start = Clock::now();
  TrainFlags::Result settings = job.train.resolve(which.changes);
  settings.config.threads = threads;
  const Prepared run = prepare(settings, job.data);
  std::error_code ignored;
  if (fs::exists(path + "/" + run::config_file, ignored)) return go_on(job, run, path, start);
  const double loading = seconds_since(start);
  train::Trainer trainer(run.config, run.source, run::weights_of(run.initial));
  run::RunFolder folder(path, run.config, run.provenance, which.name);
  return train_to_end({run.config,
                       job.data,
                       *run.source,
                       trainer,
                       folder,
                       {},
                       Output::quiet,
                       job.every,
                       start,
                       loading});
}

/// Runs the model of a finished run on the test part, if there is one and it may be read.
SetResult test_result(const SetOfRuns& job, const SetRun& which, const std::string& path) {
  SetResult result{.run = which, .status = "finished", .step = report::read_run(path).step};
  if (job.train.is_given("leave_test")) return result;
  const Prepared run = prepare(job.train.resolve(which.changes), job.data);
  if (run.source->size(data::Split::test) == 0) return result;
  ModelFlags flags;
  flags.path = path;
  result.result = load_model(flags).run([&]<class T>(const infer::Model<T>& model) {
    return train::evaluate<T>(model, *run.source, data::Split::test, nullptr, run.config.loss);
  });
  result.result->baselines = train::baselines(*run.source, data::Split::test);
  return result;
}

/// Only detailed results have baselines.
std::vector<SetResult> as_shown(std::vector<SetResult> results, bool detailed) {
  for (SetResult& r : results)
    if (r.result && !detailed) r.result->baselines.clear();
  return results;
}

void write_summary(const std::string& folder, const Json& summary) {
  write_file("train", folder + "/" + kSummaryFile, summary.dump(2) + "\n");
}

/// "accuracy 97.03 %, loss 0.1012", or how the run ended.
std::string result_text(const SetResult& result) {
  if (!result.result) return result.status;
  std::string text;
  for (const Column& column : summary_columns({result}))
    text += fmt::format("{}{} {:.6g}{}", text.empty() ? "" : ", ", column.name, column.mean(),
                        column.unit == "%" ? " %" : "");
  return text;
}

/// The messages of a process, each line once for all runs.
void tell_messages(const std::string& name, const ChildRun& child, std::vector<std::string>& told) {
  std::string_view text = child.messages;
  while (!text.empty()) {
    const std::string line(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (std::ranges::find(told, line) != told.end()) continue;
    told.push_back(line);
    tell("{}: {}\n", printable(name), line);
  }
}

/// How the processes of all runs ended.
struct AllEnded {
  int code = kOk;          // of the worst one
  bool as_planned = true;  // each with a result, be it a divergence
};

AllEnded make_runs(const SetOfRuns& job, const std::vector<SetRun>& runs, const std::string& folder,
                   std::size_t threads) {
  const std::size_t at_once = std::min(threads, runs.size());
  std::vector<ChildRun> children;
  for (const SetRun& run : runs)
    children.push_back({.work = [&job, &run, path = folder + "/" + run.name,
                                 each = static_cast<int>(threads / at_once)] {
      return make_run(job, run, path, each);
    }});
  if (job.output != Output::quiet)
    tell("{} runs in {}, {} at a time\n", runs.size(), printable(folder), at_once);
  std::size_t done = 0;
  AllEnded all;
  std::vector<std::string> told;
  run_children(children, at_once, [&](std::size_t i) {
    const auto results = results_in(folder, {runs[i]}, job.set.has_sweep());
    const bool as_planned = children[i].code == kOk || results[0].status == "diverged";
    if (!run::stop_requested() || as_planned) tell_messages(runs[i].name, children[i], told);
    all.code = std::max(all.code, children[i].code);
    all.as_planned &= as_planned;
    if (as_planned && job.output != Output::quiet)
      tell("{}: {} ({} of {})\n", printable(runs[i].name), result_text(results[0]), ++done,
           runs.size());
    return as_planned;
  });
  all.as_planned &= std::ranges::all_of(children, &ChildRun::started);
  return all;
}

void print_results(const SetOfRuns& job, const Json& summary, const std::vector<SetResult>& results,
                   const std::vector<SetResult>& best) {
  if (job.output == Output::json) {
    Json line = {{"event", "summary"}};
    line.update(summary);
    fmt::print("{}\n", json_line(line));
    return;
  }
  fmt::print("{}", summary_table(results, !job.set.has_sweep()));
  const bool tested =
      std::ranges::any_of(best, [](const SetResult& r) { return r.result.has_value(); });
  if (tested)
    fmt::print("\nThe lowest loss on the validation part. Its results on the test part:\n{}",
               summary_table(best));
  else
    for (const SetResult& r : best)
      fmt::print("\nThe lowest loss on the validation part: {}\n", printable(r.run.name));
  for (const std::string& line : baseline_lines(tested ? best : results)) fmt::print("{}\n", line);
}

}  // namespace

int train_set(const SetOfRuns& job) {
  const std::vector<SetRun> runs = job.set.runs(job.train);
  const TrainFlags::Result shared = job.train.resolve();
  std::string folder;
  bool detailed = false;
  {
    // Faults of the data show before the first run starts.
    TrainFlags::Result settings = job.train.resolve(runs.front().changes);
    if (job.train.is_given("folds")) settings.provenance.reset();
    if (job.set.has_sweep()) settings.needs_validation = "--sweep";
    const Prepared first = prepare(settings, job.data);
    const train::Trainer trainer(first.config, first.source, run::weights_of(first.initial));
    detailed = first.source->target().detailed;
    folder = set_folder(job, shared.config, first.source->name());
    if (job.output == Output::text)
      fmt::print("{}{}", first.source->inferred(), first.source->sizes_text());
    std::fflush(stdout);
    tell_note(*first.source);
  }
  Folder locked("train", folder);
  locked.lock("train");
  const bool sweep = job.set.has_sweep();
  write_summary(folder,
                summary_json(as_shown(results_in(folder, runs, sweep), detailed), sweep, {}));
  const int threads = shared.config.threads > 0 ? shared.config.threads : num_threads();
  const AllEnded ended = make_runs(job, runs, folder, static_cast<std::size_t>(threads));
  const auto results = as_shown(results_in(folder, runs, sweep), detailed);
  std::vector<SetResult> best;
  if (sweep && ended.as_planned) {
    set_num_threads(threads);
    for (const SetRun& run : best_runs(results))
      best.push_back(test_result(job, run, folder + "/" + run.name));
  }
  best = as_shown(std::move(best), detailed);
  const Json summary = summary_json(results, sweep, best);
  write_summary(folder, summary);
  if (!ended.as_planned) {
    const std::string done =
        fmt::format("{} of {} runs in {} have finished", summary.at("finished").get<std::int64_t>(),
                    runs.size(), printable(folder));
    if (!run::stop_requested()) {
      tell("{}\n", done);
      return ended.code;
    }
    tell("interrupted by {}: {}; go on with the same command\n",
         run::name_of_signal(run::stop_signal()), done);
    return status_of_signal(run::stop_signal());
  }
  print_results(job, summary, results, best);
  if (job.output == Output::text) tell("the runs are in {}\n", printable(folder));
  // A choice that diverged is only not the best one.
  return best.empty() ? ended.code : kOk;
}

}  // namespace unroll::app
