// unroll verify: repeats a run and compares the weights.
#include <fmt/format.h>

#include "app/commands.h"
#include "app/data_flags.h"
#include "app/messages.h"
#include "app/usage_error.h"
#include "app/verbose.h"
#include "core/clock.h"
#include "core/printable.h"
#include "run/initial_model.h"
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
  bool without_test = false;
};

/// The same data with random numbers in place of the test part. Throws UsageError for a source
/// without a test part that was read.
std::shared_ptr<const data::Source> without_test(const VerifyFlags& flags,
                                                 const train::Config& config,
                                                 data::SourceOptions options,
                                                 const data::Source& source) {
  if (source.size(data::Split::train) == data::Source::endless ||
      source.size(data::Split::test) == 0)
    throw UsageError(
        fmt::format("--without-test puts random numbers in place of the test part, "
                    "and {} has none that is read from files; leave it out",
                    printable(source.name())));
  constexpr std::uint64_t kSeed = 1;
  options.images.test_noise = options.series_encoding.test_noise = kSeed;
  auto noise = flags.data.open(config.dataset, options);
  const auto same = [&](data::Split part) { return noise->sha256(part) == source.sha256(part); };
  if (!same(data::Split::train) || !same(data::Split::validation) || same(data::Split::test))
    throw FormatError("verify", fmt::format("random numbers in the test part of {} changed its "
                                            "training part, or did not change the test part",
                                            printable(source.name())));
  return noise;
}

int work(const VerifyFlags& flags) {
  const auto start = Clock::now();
  const run::CatchStopSignals guard;
  run::Verification run(
      flags.run, [](const run::Finding& finding) { fmt::print("{}\n", printable(finding.text)); });
  if (!run.can_be_repeated()) return kFailed;
  train::Config config = run.config();
  if (flags.threads) config.threads = *flags.threads;
  if (flags.rows_at_once) config.rows_at_once = *flags.rows_at_once;
  const data::SourceOptions options = train::source_options(config, run.classes());
  auto source = flags.data.open(config.dataset, options);
  const auto initial = run::initial_model(config);
  if (!run.has_same_data(run::provenance_of(*source, initial))) return kFailed;
  flags.verbose.say();
  if (flags.without_test) source = without_test(flags, config, options, *source);
  train::Trainer trainer(config, source, run::weights_of(initial));
  train::Callbacks signals;
  signals.stops = run::stop_requested;
  if (flags.without_test) {
    const bool good = run.train_without_test(trainer, {&signals});
    return run::stop_requested() ? status_of_signal(run::stop_signal()) : good ? kOk : kFailed;
  }
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
  command.flag("--without-test", flags->without_test,
               "Train with random numbers as the test part. The same weights prove that the test "
               "part had no influence. Default off");
  flags->verbose.add_to(command);
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
