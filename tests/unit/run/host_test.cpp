// A host that is not the command line trains, resumes and verifies a run. It passes values and
// listeners, gets results, and nothing is printed.
#include <gtest/gtest.h>

#include <filesystem>

#include "core/numerics.h"
#include "run/resume.h"
#include "run/training.h"
#include "run/verification.h"
#include "support/black_and_white.h"
#include "support/expect_error.h"
#include "support/program.h"
#include "support/sources.h"
#include "support/temporary_folder.h"

namespace unroll::run {
namespace {

const train::Provenance provenance{"of training", "of testing", numerics::revision};

train::Config make_config() {
  train::Config c = train::recipe("tutorial");
  c.hidden = 4;
  c.batch_size = 5;
  c.steps = 6;
  c.eval_every = 2;
  c.save_at = {1, 5};
  return c;
}

train::Trainer make_trainer(const train::Config& config) {
  return {config, test::images(config, test::black_and_white())};
}

/// A listener that counts its calls, and stops after a step.
struct Listener : train::Listener {
  explicit Listener(std::int64_t last = 0) : stop_after(last) {}
  void step(const train::StepResult& result) override { last_step = result.step; }
  void evaluation(const train::StepResult&, const train::Evaluation&) override { ++evaluations; }
  bool stop() override { return last_step == stop_after; }

  std::int64_t stop_after, last_step = 0, evaluations = 0;
};

/// Trains a new run in a folder. With `stop_after`, stops before the last step.
End start(const std::string& path, std::int64_t stop_after = 0,
          const train::Config& config = make_config()) {
  train::Trainer trainer = make_trainer(config);
  RunFolder folder(path, config, provenance, "made up");
  Listener listener(stop_after);
  End end = train_to_end(trainer, folder, {}, {{.steps = 2}, {&listener}});
  EXPECT_EQ(end.step, trainer.last_step().step);
  return end;
}

/// The texts of all findings, and whether the run equals the one trained again.
struct Verified {
  bool good = false;
  std::vector<std::string> findings;
};

Verified verify(const std::string& path) {
  Verified result;
  Verification run(path, [&](const Finding& f) { result.findings.push_back(f.text); });
  if (!run.can_be_repeated()) return result;
  train::Trainer trainer = make_trainer(run.config());
  if (!run.has_same_data(provenance)) return result;
  run.train_again(trainer);
  result.good = run.finish(trainer);
  return result;
}

/// Captures the output, and expects that there is none.
class Host : public testing::Test {
 protected:
  void SetUp() override {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
  }
  void TearDown() override {
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  }

  std::string content(const std::string& name) const {
    return test::content_of(folder_ / "run/" + name);
  }

  test::TemporaryFolder folder_;
  const std::string path_ = folder_ / "run";
};

TEST_F(Host, StartsARunAndVerifiesIt) {
  const End end = start(path_);
  EXPECT_EQ(end.status, RunStatus::finished);
  EXPECT_EQ(end.step, 6);
  EXPECT_EQ(end.model, path_ + "/model.safetensors");
  EXPECT_EQ(end.evaluation.accuracy().total, 20);
  EXPECT_FALSE(end.diverged);
  // 6 steps and 3 evaluations.
  EXPECT_EQ(test::lines_of(content("metrics.jsonl")).size(), 9u);
  const Verified verified = verify(path_);
  EXPECT_TRUE(verified.good);
  // config, metrics, model, steps 1 and 5, checkpoints 2 and 4.
  EXPECT_EQ(verified.findings.front(), "8 files are as they were written");
  EXPECT_EQ(verified.findings[2], "checkpoints and files of single steps with the same bits: 4");
}

TEST_F(Host, GoesOnToTheSameFiles) {
  start(folder_ / "whole");
  const End end = start(path_, 3);
  EXPECT_EQ(end.status, RunStatus::interrupted);
  EXPECT_EQ(end.step, 3);
  EXPECT_TRUE(verify(path_).good);  // also of the part
  {
    ResumedRun run(path_);
    EXPECT_FALSE(run.is_finished());
    EXPECT_EQ(run.checkpoint()->last.step, 3);
    EXPECT_TRUE(run.other_settings(make_config()).empty());
    run.check_same_data(provenance);
    train::Trainer trainer = make_trainer(run.config());
    trainer.resume(*run.checkpoint());
    Listener listener;
    const End rest = train_to_end(trainer, run.folder(), run.checkpoint(), {{}, {&listener}});
    EXPECT_EQ(rest.status, RunStatus::finished);
    EXPECT_EQ(listener.evaluations, 2);  // after 4 and 6
  }
  for (const char* name : {"metrics.jsonl", "model.safetensors", "step_5.safetensors"})
    EXPECT_EQ(content(name), test::content_of(folder_ / "whole/" + name)) << name;
  EXPECT_TRUE(ResumedRun(path_).is_finished());
}

TEST_F(Host, SaysWhatIsAnotherRun) {
  start(path_, 3);
  const ResumedRun run(path_);
  train::Config other = make_config();
  other.lr *= 2;
  other.dataset = "fashion-mnist";
  EXPECT_EQ(run.other_settings(other).size(), 2u);
  train::Provenance now = provenance;
  now.test_sha256 = "another";
  const std::string text = test::error_of<FormatError>([&] { run.check_same_data(now); });
  EXPECT_NE(text.find("the test data differs"), std::string::npos) << text;
}

TEST_F(Host, WarnsOfADamagedCheckpoint) {
  start(path_, 5);
  folder_.write("run/checkpoint_5.safetensors", "damaged");
  std::vector<std::string> warnings;
  const ResumedRun run(path_, [&](const std::string& text) { warnings.push_back(text); });
  EXPECT_EQ(run.checkpoint()->last.step, 4);
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE(warnings[0].find("checkpoint_5.safetensors"), std::string::npos) << warnings[0];
  EXPECT_EQ(warnings[1], "Going back to the checkpoint before, checkpoint_4.safetensors.");
}

TEST_F(Host, ReturnsWhyARunDiverged) {
  train::Config config = make_config();
  config.activation = spec::Activation::tanh;  // a relu of such weights is silent
  config.lr = 1e38;
  const End end = start(path_, 0, config);
  EXPECT_EQ(end.status, RunStatus::diverged);
  ASSERT_TRUE(end.diverged);
  EXPECT_EQ(end.step, end.diverged->kept.step);
  EXPECT_GT(end.diverged->failed.step, end.step);
  EXPECT_TRUE(verify(path_).good);
  test::error_of<FormatError>([&] { ResumedRun again(path_); });
}

TEST_F(Host, FindsABitThatIsNotTrainings) {
  train::Config other = make_config();
  other.seed = 1;
  start(path_);
  start(folder_ / "other", 0, other);
  // Weights of another run, with hashes that fit.
  std::filesystem::copy_file(folder_ / "other/config.json", folder_ / "run/config.json",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(verify(path_).good);  // damaged: it is not repeated
  std::filesystem::copy_file(folder_ / "other/manifest.json", folder_ / "run/manifest.json",
                             std::filesystem::copy_options::overwrite_existing);
  const Verified verified = verify(path_);
  EXPECT_FALSE(verified.good);
  EXPECT_TRUE(verified.findings.back().starts_with(
      "model.safetensors has different bits: rnn.weight_ih_l0[0, 0] is "))
      << verified.findings.back();
}

}  // namespace
}  // namespace unroll::run
