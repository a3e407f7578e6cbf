// Runs with a validation part: their folder, repeated and compared.
#include "run/verification.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "run/provenance.h"
#include "run/resume.h"
#include "run/training.h"
#include "support/program.h"
#include "support/temporary_folder.h"
#include "support/three_parts.h"

namespace unroll::run {
namespace {

train::Config make_config() {
  train::Config c;
  c.model = train::ModelKind::gru;
  c.hidden = 12;
  c.batch_size = 10;
  c.steps = 24;
  c.optimizer = train::Algorithm::adam;
  c.lr = 0.1;
  c.eval_every = 3;
  c.threads = 1;
  return c;
}

struct Case {
  const char* name;
  void (*change)(train::Config&);
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

/// Stops after a step; 0: never.
struct StopAt : train::Listener {
  train::Trainer* trainer = nullptr;
  std::int64_t step_number = 0;
  bool stop() override { return trainer->last_step().step == step_number; }
};

End train_run(const train::Config& config, const std::string& path, std::int64_t stop_at) {
  train::Trainer trainer(config, test::three_parts());
  RunFolder folder(path, config, provenance_of(trainer.source()), "signs");
  StopAt listener;
  listener.trainer = &trainer;
  listener.step_number = stop_at;
  return train_to_end(trainer, folder, {}, {{.steps = 4}, {&listener}});
}

End resume_run(const std::string& path, std::int64_t stop_at) {
  ResumedRun run(path);
  train::Trainer trainer(run.config(), test::three_parts());
  if (run.checkpoint()) trainer.resume(*run.checkpoint());
  StopAt listener;
  listener.trainer = &trainer;
  listener.step_number = stop_at;
  return train_to_end(trainer, run.folder(), run.checkpoint(), {{.steps = 4}, {&listener}});
}

/// The findings that are not good.
std::vector<std::string> faults_of(const std::string& path) {
  std::vector<std::string> faults;
  Verification run(path, [&](const Finding& f) {
    if (!f.good) faults.push_back(f.text);
  });
  train::Trainer trainer(run.config(), test::three_parts());
  run.train_again(trainer);
  EXPECT_EQ(run.finish(trainer), faults.empty());
  return faults;
}

class VerifiedRun : public testing::TestWithParam<Case> {};

TEST_P(VerifiedRun, HasTheSameFilesAfterInterruptions) {
  train::Config c = make_config();
  GetParam().change(c);
  const test::TemporaryFolder folder;
  const End whole = train_run(c, folder / "whole", 0);
  EXPECT_EQ(whole.status, RunStatus::finished);
  EXPECT_EQ(whole.evaluation.part, data::Split::test);
  EXPECT_EQ(faults_of(folder / "whole"), std::vector<std::string>());
  const auto content = [&](const std::string& run, const char* file) {
    return test::content_of(folder / (run + "/" + file));
  };
  for (const std::int64_t stop : {1, 4, 10, 17, 23, 30, 35, 41}) {
    SCOPED_TRACE(stop);
    const std::string name = "run" + std::to_string(stop);
    const End first = train_run(c, folder / name, stop);
    if (first.status == RunStatus::finished) break;
    EXPECT_EQ(first.step, stop);
    if (stop % 2 == 0) {
      EXPECT_EQ(faults_of(folder / name), std::vector<std::string>());
    }
    const End end = resume_run(folder / name, 0);
    EXPECT_EQ(end.step, whole.step);
    EXPECT_EQ(content(name, "model.safetensors"), content("whole", "model.safetensors"));
    EXPECT_EQ(content(name, "metrics.jsonl"), content("whole", "metrics.jsonl"));
    EXPECT_EQ(content(name, "samples.safetensors"), content("whole", "samples.safetensors"));
  }
}

constexpr Case cases[] = {
    {"Best", [](train::Config&) {}},
    {"Refit",
     [](train::Config& c) {
       c.patience = 2;
       c.refit = true;
     }},
};
INSTANTIATE_TEST_SUITE_P(Run, VerifiedRun, testing::ValuesIn(cases),
                         [](const auto& test) { return test.param.name; });

// Another test part stands for the random numbers.
TEST(WithoutTest, TheWeightsOfAnHonestRunAreTheSame) {
  const test::TemporaryFolder folder;
  train::Config c = make_config();
  c.patience = 2;
  train_run(c, folder / "run", 0);
  std::vector<std::string> texts;
  Verification run(folder / "run", [&](const Finding& f) { texts.push_back(f.text); });
  train::Trainer trainer(run.config(), test::three_parts(77));
  EXPECT_TRUE(run.train_without_test(trainer));
  const std::string start =
      "the test part had no influence: with 30 test samples of random numbers the weights are the "
      "same, SHA-256 ";
  EXPECT_EQ(texts.back().substr(0, start.size()), start);
  EXPECT_EQ(texts.back().size(), start.size() + 64);
}

/// Training data that depend on the test part.
TEST(WithoutTest, ALeakIsFound) {
  const test::TemporaryFolder folder;
  train_run(make_config(), folder / "run", 0);
  std::vector<std::string> faults;
  Verification run(folder / "run", [&](const Finding& f) {
    if (!f.good) faults.push_back(f.text);
  });
  const auto leaking = std::make_shared<test::ThreeParts>(
      test::signs(40, 77, 35), test::signs(30, 2, 20), test::signs(30, 77));
  train::Trainer trainer(run.config(), leaking);
  EXPECT_FALSE(run.train_without_test(trainer));
  ASSERT_FALSE(faults.empty());
  EXPECT_EQ(faults.back(),
            "the test part had an influence: with random numbers in its place the weights differ");
}

}  // namespace
}  // namespace unroll::run
