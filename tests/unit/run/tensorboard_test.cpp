// The event file of a run: tests/interop/test_tensorboard.py reads it with TensorBoard.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <limits>

#include "core/numerics.h"
#include "run/confusion_picture.h"
#include "run/file_names.h"
#include "run/histogram.h"
#include "run/resume.h"
#include "run/tfrecord.h"
#include "run/training.h"
#include "run/verification.h"
#include "support/black_and_white.h"
#include "support/child_process.h"
#include "support/expect_error.h"
#include "support/expect_parts.h"
#include "support/file_faults.h"
#include "support/program.h"
#include "support/sources.h"
#include "support/temporary_folder.h"

namespace unroll::run {
namespace {

const train::Provenance events_provenance{"of training", "of testing", numerics::revision};

train::Config event_config(bool tensorboard = true) {
  train::Config c = train::recipe("tutorial");
  c.hidden = 4;
  c.batch_size = 5;
  c.steps = 9;
  c.eval_every = 2;
  c.tensorboard = tensorboard;
  return c;
}

train::Trainer event_trainer(const train::Config& config) {
  return {config, test::images(config, test::black_and_white())};
}

/// Trains a run from its start. With `last`, it is interrupted after this step.
void run_to_end_of(const std::string& path, std::int64_t last = 0, bool tensorboard = true) {
  const train::Config config = event_config(tensorboard);
  train::Trainer trainer = event_trainer(config);
  RunFolder folder(path, config, events_provenance, "made up");
  std::int64_t reached = 0;
  train::Callbacks stopper;
  stopper.on_step = [&](const train::StepResult& result) { reached = result.step; };
  stopper.stops = [&] { return reached == last; };
  train_to_end(trainer, folder, {}, {{.steps = 3}, {&stopper}, tensorboard});
}

End go_on(const std::string& path) {
  ResumedRun run(path);
  train::Trainer trainer = event_trainer(run.config());
  if (run.checkpoint()) trainer.resume(*run.checkpoint());
  return train_to_end(trainer, run.folder(), run.checkpoint(),
                      {{.steps = 3}, {}, run.config().tensorboard});
}

std::string events_of(const std::string& path) {
  return test::content_of(path + "/" + events_file);
}

class Events : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
  const std::string path_ = folder_ / "run", whole_ = folder_ / "whole";
};

TEST_F(Events, HasARecordForEveryLineAndOneBefore) {
  run_to_end_of(path_);
  // 9 steps, and evaluations after 2, 4, 6, 8 and 9.
  EXPECT_EQ(test::lines_of(test::content_of(path_ + "/metrics.jsonl")).size(), 14u);
  const InputFile file("test", path_ + "/" + events_file);
  EXPECT_EQ(size_of_records(file, 15), file.size());
}

TEST_F(Events, ChangesNoOtherFile) {
  run_to_end_of(whole_);
  run_to_end_of(path_, 0, false);
  EXPECT_FALSE(std::filesystem::exists(path_ + "/" + events_file));
  for (const char* name : {"/metrics.jsonl", "/model.safetensors"})
    EXPECT_EQ(test::content_of(path_ + name), test::content_of(whole_ + name)) << name;
}

TEST_F(Events, GoesOnToTheSameBytes) {
  run_to_end_of(whole_);
  for (const int step : {1, 2, 3, 5, 8}) {
    const std::string path = folder_ / std::to_string(step);
    run_to_end_of(path, step);
    EXPECT_EQ(go_on(path).status, RunStatus::finished);
    EXPECT_EQ(events_of(path), events_of(whole_)) << step;
  }
}

// What a killed run leaves: the files as they were then, with later records or a part of one.
TEST_F(Events, IsCutToTheCheckpoint) {
  run_to_end_of(whole_);
  run_to_end_of(path_, 4);
  const std::string copy = folder_ / "copy";
  std::filesystem::copy(path_, copy);
  const std::string more = events_of(whole_);
  for (const std::size_t size : {events_of(path_).size() + 1, more.size() - 1, more.size()}) {
    std::filesystem::remove_all(path_);
    std::filesystem::copy(copy, path_);
    folder_.write(std::string("run/") + events_file, more.substr(0, size));
    EXPECT_EQ(go_on(path_).status, RunStatus::finished);
    EXPECT_EQ(events_of(path_), more) << size;
  }
}

/// A child that trains while a call of the operating system fails. Returns the number of calls, or
/// how it ended.
std::string run_with_faults(const std::string& path, const test::FileFaults::Plan& plan) {
  return test::ChildProcess([&] {
           const test::FileFaults faults(plan);
           run_to_end_of(path);
           return std::to_string(faults.calls().size());
         })
      .wait();
}

// From the folder's creation to the end: the run goes on, and its event file is whole.
TEST_F(Events, Fault24_KilledOrWithoutRoomAtAnyCall) {
  const std::size_t calls = std::stoul(run_with_faults(whole_, {}));
  ASSERT_GT(calls, 40u);
  for (std::size_t at = 0; at < calls; at += 3)
    for (const bool kill : {true, false}) {
      const std::string path = folder_ / fmt::format("{}-{}", kill ? "killed" : "full", at);
      const std::string ended =
          run_with_faults(path, {.at = at, .error = kill ? 0 : ENOSPC, .kill = kill});
      if (kill) {
        ASSERT_EQ(ended, "signal 9");
      }
      if (!std::filesystem::exists(path + "/config.json")) continue;  // nothing to go on with
      ResumedRun run(path);
      train::Trainer trainer = event_trainer(run.config());
      if (!run.is_finished()) {
        if (run.checkpoint()) trainer.resume(*run.checkpoint());
        train_to_end(trainer, run.folder(), run.checkpoint(),
                     {{.steps = 3}, {}, run.config().tensorboard});
      }
      EXPECT_EQ(events_of(path), events_of(whole_)) << path << ": " << ended;
    }
}

TEST_F(Events, DamageIsFoundBeforeAnythingChanges) {
  run_to_end_of(path_, 4);
  std::string content = events_of(path_);
  content[content.size() / 8] ^= 1;  // before the first checkpoint
  folder_.write(std::string("run/") + events_file, content);
  const std::string manifest = test::content_of(path_ + "/manifest.json");
  test::expect_parts(test::error_of<FormatError>([&] { ResumedRun run(path_); }),
                     {"no checkpoint", "can be used", "train again"});
  std::filesystem::remove(path_ + "/" + events_file);
  test::expect_parts(test::error_of<FormatError>([&] { go_on(path_); }),
                     {events_file, "is missing"});
  EXPECT_EQ(test::content_of(path_ + "/manifest.json"), manifest);
}

TEST_F(Events, IsOneOfTheFilesThatAreVerified) {
  run_to_end_of(path_);
  const auto verify = [&] {
    std::vector<std::string> findings;
    Verification run(path_, [&](const Finding& f) { findings.push_back(f.text); });
    train::Trainer trainer = event_trainer(run.config());
    EXPECT_TRUE(run.has_same_data(events_provenance));
    run.train_again(trainer);
    findings.push_back(run.finish(trainer) ? "good" : "bad");
    return findings;
  };
  EXPECT_EQ(verify().back(), "good");
  folder_.write(std::string("run/") + events_file, events_of(path_) + "x");
  const auto findings = verify();
  EXPECT_EQ(findings.back(), "bad");
  EXPECT_NE(findings.front().find(events_file), std::string::npos) << findings.front();
}

TEST(Histogram, CountsEqualParts) {
  std::vector<float> values;
  for (int i = 0; i <= 60; ++i) values.push_back(static_cast<float>(i));
  const Histogram h = histogram_of(Tensor::from(values, {61}));
  EXPECT_EQ(h.min, 0);
  EXPECT_EQ(h.max, 60);
  EXPECT_EQ(h.count, 61);
  EXPECT_EQ(h.sum, 1830);
  EXPECT_EQ(h.sum_of_squares, 73810);
  ASSERT_EQ(h.counts.size(), 30u);
  EXPECT_EQ(h.limits.back(), 60);
  EXPECT_EQ(h.counts.front(), 3);  // 0, 1, 2
  double all = 0;
  for (const double count : h.counts) all += count;
  EXPECT_EQ(all, 61);
}

TEST(Histogram, OfSpecialNumbers) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Histogram same = histogram_of(Tensor::from(std::vector<float>{2, 2, kInfinity}, {3}));
  EXPECT_EQ(same.counts, std::vector<double>{2});
  EXPECT_EQ(same.limits, std::vector<double>{2});
  EXPECT_EQ(same.count, 2);
  const Histogram none = histogram_of(Tensor::from(std::vector<float>{-kInfinity}, {1}));
  EXPECT_EQ(none.count, 0);
  EXPECT_EQ(none.counts, std::vector<double>{0});
  constexpr double kMax = std::numeric_limits<double>::max();
  const Histogram huge = histogram_of(Tensor::from(std::vector<double>{-kMax, 0, kMax}, {3}));
  EXPECT_EQ(huge.counts.front() + huge.counts[14] + huge.counts.back(), 3);
}

TEST(ConfusionPicture, HasCellsOfSeveralPixels) {
  for (const std::int64_t classes : {1, 2, 10, 256}) {
    train::ConfusionMatrix confusion(classes);
    for (std::int64_t c = 0; c < classes; ++c) confusion.add(c, 0);
    const Picture picture = confusion_picture(confusion);
    EXPECT_EQ(picture.width, classes * std::max<std::int64_t>(4, 480 / classes));
    EXPECT_EQ(picture.height, picture.width);
    EXPECT_EQ(picture.png.substr(1, 3), "PNG");
  }
}

}  // namespace
}  // namespace unroll::run
