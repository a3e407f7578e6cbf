// A run's folder after a fault at any call of the operating system that a save makes.
#include "run/run_folder.h"

#include <gtest/gtest.h>

#include "support/child_process.h"
#include "support/expect_error.h"
#include "support/file_faults.h"
#include "support/program.h"
#include "support/temporary_folder.h"
#include "unit/run/made_up_run.h"
#include "unroll/core/error.h"

namespace unroll::run {
namespace {

using test::FileFaults;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

void fill(RunFolder& run) {
  run.begin({});
  for (const int step : {1, 2}) {
    run.log({step, 0.5, 2});
    run.save_checkpoint(checkpoint_after(step));
  }
  run.end(RunStatus::interrupted, 2, bytes_of("model after 2"));
}

using Save = void (*)(RunFolder&);

void save_checkpoint(RunFolder& run) {
  run.log({3, 0.5, 2});
  run.save_checkpoint(checkpoint_after(3));
}

/// Of a run that diverges in step 3, and whose first step was the last good one.
void go_back(RunFolder& run) { run.save_earlier_checkpoint(checkpoint_after(1)); }

void end(RunFolder& run) { run.end(RunStatus::finished, 3, bytes_of("model after 3")); }

/// Everything that a fault may leave: all that is listed is there, and a run goes on from one of
/// the last two checkpoints. Returns the step.
std::int64_t expect_sound(const std::string& path, Save save) {
  const Folder folder("test", path);
  const auto manifest = Manifest::read(folder);
  EXPECT_TRUE(manifest);
  for (const auto& [name, hashes] : manifest->files)
    EXPECT_TRUE(manifest->is_intact(folder, name)) << name;
  const std::string model = text_of(manifest->load(folder, "model.safetensors"));
  EXPECT_TRUE(model == "model after 2" || (save == end && model == "model after 3")) << model;
  RunFolder again(path);
  EXPECT_TRUE(again.config_is_intact());
  const auto checkpoint = again.last_checkpoint();
  EXPECT_TRUE(checkpoint);
  const std::int64_t step = checkpoint ? checkpoint->last.step : 0;
  EXPECT_EQ(checkpoint->weights.at(0).value.to_vector(),
            std::vector<double>(6, static_cast<double>(step)));
  // And goes on: what was half done is gone.
  again.begin(checkpoint);
  for (const std::string& name : test::files_in(path))
    EXPECT_EQ(name.find(".tmp-"), std::string::npos) << name;
  EXPECT_EQ(test::lines_of(test::content_of(path + "/metrics.jsonl")).size(),
            static_cast<std::size_t>(step));
  again.log({step + 1, 0.5, 2});
  again.save_checkpoint(checkpoint_after(step + 1));
  EXPECT_EQ(again.last_checkpoint()->last.step, step + 1);
  return step;
}

/// A child that is in the middle of the run when the fault comes.
std::string run_with(const std::string& path, Save save, const FileFaults::Plan& plan) {
  return test::ChildProcess([&] {
           RunFolder run = make_run(path);
           fill(run);
           run.begin(run.last_checkpoint());
           const FileFaults faults(plan);
           save(run);
           return std::to_string(faults.calls().size());
         })
      .wait();
}

class EveryCall : public testing::TestWithParam<Save> {};

TEST_P(EveryCall, Fault24_KilledInASave) {
  const test::TemporaryFolder none;
  const int calls = std::stoi(run_with(none / "run", GetParam(), {}));
  EXPECT_GT(calls, 15);
  std::set<std::int64_t> steps;
  for (int at = 0; at < calls; ++at) {
    SCOPED_TRACE(at);
    const test::TemporaryFolder folder;
    ASSERT_EQ(
        run_with(folder / "run", GetParam(), {.at = static_cast<std::size_t>(at), .kill = true}),
        "signal 9");
    steps.insert(expect_sound(folder / "run", GetParam()));
  }
  if (GetParam() == &save_checkpoint) {
    EXPECT_EQ(steps, (std::set<std::int64_t>{2, 3}));
  }
}

TEST_P(EveryCall, Fault25_AFullOrBrokenDiskInASave) {
  const test::TemporaryFolder none;
  const int calls = std::stoi(run_with(none / "run", GetParam(), {}));
  for (const int error : {ENOSPC, EIO})
    for (int at = 0; at < calls; ++at) {
      SCOPED_TRACE(at);
      const test::TemporaryFolder folder;
      const std::string text = run_with(folder / "run", GetParam(),
                                        {.at = static_cast<std::size_t>(at), .error = error});
      EXPECT_NE(text.find(error == EIO ? "Input/output error" : "No space left"), std::string::npos)
          << text;
      expect_sound(folder / "run", GetParam());
    }
}

INSTANTIATE_TEST_SUITE_P(Saves, EveryCall, testing::Values(&save_checkpoint, &go_back, &end),
                         [](const auto& test) {
                           return test.param == &end       ? "OfTheModel"
                                  : test.param == &go_back ? "OfAnEarlierCheckpoint"
                                                           : "OfACheckpoint";
                         });

TEST(Trial01, AnEarlierCheckpointHasTheMetricsUpToIt) {
  const test::TemporaryFolder folder;
  RunFolder run = make_run(folder / "run");
  run.begin({});
  for (const int step : {1, 2, 3, 10, 11}) {
    run.log({step, 0.5, 2});
    run.save_checkpoint(checkpoint_after(step));
  }
  run.save_earlier_checkpoint(checkpoint_after(2));
  EXPECT_EQ(test::files_in(run.path()),
            (std::set<std::string>{"config.json", "manifest.json", "metrics.jsonl",
                                   "checkpoint_2.safetensors"}));
  const auto checkpoint = run.last_checkpoint();
  const std::string lines = test::content_of(folder / "run/metrics.jsonl");
  EXPECT_EQ(checkpoint->last.step, 2);
  EXPECT_EQ(checkpoint->metrics_bytes, lines.find("\n", lines.find("\n") + 1) + 1);
}

TEST(RunFolder, KeepsTheLastTwoCheckpoints) {
  const test::TemporaryFolder folder;
  RunFolder run = make_run(folder / "run");
  run.begin({});
  for (int step = 1; step <= 12; ++step) run.save_checkpoint(checkpoint_after(step));
  EXPECT_EQ(test::files_in(run.path()),
            (std::set<std::string>{"config.json", "manifest.json", "metrics.jsonl",
                                   "checkpoint_11.safetensors", "checkpoint_12.safetensors"}));
}

void flip_a_bit_of(const test::TemporaryFolder& folder, const std::string& name) {
  std::string content = test::content_of(folder / name);
  content[content.size() / 2] ^= 4;
  folder.write(name, content);
}

TEST(Fault34, ADamagedCheckpointFallsBackToTheOneBefore) {
  const test::TemporaryFolder folder;
  {
    RunFolder run = make_run(folder / "run");
    fill(run);
  }
  flip_a_bit_of(folder, "run/checkpoint_2.safetensors");
  RunFolder run(folder / "run");
  std::string said;
  const auto checkpoint =
      run.last_checkpoint([&](const std::string& warning) { said += warning + '\n'; });
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->last.step, 1);
  for (const std::string part :
       {"checkpoint_2.safetensors is damaged", "Going back to", "checkpoint_1.safetensors"})
    EXPECT_NE(said.find(part), std::string::npos) << said;
  // The damaged one is not kept in place of a good one.
  run.begin(checkpoint);
  for (const int step : {2, 3}) run.save_checkpoint(checkpoint_after(step));
  EXPECT_EQ(run.last_checkpoint()->last.step, 3);
  EXPECT_TRUE(test::files_in(run.path()).contains("checkpoint_2.safetensors"));
}

TEST(Fault34, MetricsThatAreDamagedToo) {
  const test::TemporaryFolder folder;
  {
    RunFolder run = make_run(folder / "run");
    fill(run);
  }
  // The second of two lines: only the first checkpoint can still go on.
  std::string metrics = test::content_of(folder / "run/metrics.jsonl");
  metrics[metrics.size() - 3] ^= 1;
  folder.write("run/metrics.jsonl", metrics);
  {
    const RunFolder run(folder / "run");
    EXPECT_EQ(run.last_checkpoint()->last.step, 1);
  }
  folder.write("run/metrics.jsonl", "");
  const RunFolder run(folder / "run");
  const std::string text = test::error_of<FormatError>([&] { run.last_checkpoint(); });
  EXPECT_NE(text.find("train again: unroll train --config"), std::string::npos) << text;
}

TEST(RunFolder, WithoutAManifestItsFilesAreNotTrusted) {
  const test::TemporaryFolder folder;
  {
    RunFolder run = make_run(folder / "run");
    fill(run);
  }
  std::filesystem::remove(folder / "run/manifest.json");
  const std::string text = test::error_of<FormatError>([&] { RunFolder(folder / "run"); });
  EXPECT_NE(text.find("has no manifest.json"), std::string::npos) << text;
}

TEST(RunFolder, IsUsedByOneProcess) {
  const test::TemporaryFolder folder;
  const RunFolder run = make_run(folder / "run");
  EXPECT_NE(test::error_of<FileError>([&] { RunFolder(folder / "run"); }).find("is in use"),
            std::string::npos);
}

}  // namespace
}  // namespace unroll::run
