// unroll verify: repeats a run and compares the weights.
#include <fmt/format.h>

#include "app/commands.h"
#include "app/data_flags.h"
#include "app/messages.h"
#include "app/verbose.h"
#include "core/clock.h"
#include "core/printable.h"
#include "run/provenance.h"
#include "run/stop_signal.h"
#include "run/verification.h"
#include "train/describe.h"

namespace unroll::app {
namespace {

struct VerifyFlags {
  std::string run;
  DataFlags data;
  VerboseFlag verbose;
  std::optional<int> threads;
  std::optional<std::int64_t> rows_at_once;
};

int work(const VerifyFlags& flags) {
  const auto start = Clock::now();
  const run::CatchStopSignals guard;
  run::Verification run(
      flags.run, [](const run::Finding& finding) { fmt::print("{}\n", printable(finding.text)); });
  if (!run.can_be_repeated()) return kFailed;
  train::Config config = run.config();
  if (flags.threads) config.threads = *flags.threads;
  if (flags.rows_at_once) config.rows_at_once = *flags.rows_at_once;
  const auto source = flags.data.open(config.dataset, train::source_options(config, run.classes()));
  if (!run.has_same_data(run::provenance_of(*source))) return kFailed;
  flags.verbose.say();
  train::Trainer trainer(config, source);
  train::Callbacks signals;
  signals.stops = run::stop_requested;
  const std::int64_t steps = run.train_again(trainer, {&signals});
  if (run::stop_requested()) {
    tell("interrupted; {} is as it was\n", printable(flags.run));
    return status_of_signal(run::stop_signal());
  }
  fmt::print("trained again from config.json, {} steps in {:.2f} s\n", steps, seconds_since(start));
  return run.finish(trainer) ? kOk : kFailed;
}

}  // namespace

void add_verify(Command& program) {
  Command command = program.add(
      "verify", "Repeat a run from its config.json and check that the weights are bit-identical",
      "unroll verify runs/mnist-rnn-tuned-seed0");
  const auto flags = std::make_shared<VerifyFlags>();
  command.option("run", flags->run, "Folder of the run. Nothing in it changes")
      .required()
      .folder("RUN");
  flags->data.add_to(command);
  command.option("--threads", flags->threads,
                 "Threads to use, 0 for all cores. Default: as the run had");
  command.option("--rows-at-once", flags->rows_at_once,
                 "Rows of a batch to walk at once, 0 for all. Default: as the run had");
  flags->verbose.add_to(command);
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
