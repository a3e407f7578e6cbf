// Runs with a validation part, and of each task of series: their folder, repeated and compared.
#include "run/verification.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "run/provenance.h"
#include "run/resume.h"
#include "run/training.h"
#include "support/program.h"
#include "support/series_file.h"
#include "support/sources.h"
#include "support/temporary_folder.h"
#include "support/three_parts.h"

namespace unroll::run {
namespace {

/// Settings, and what they train on.
struct Subject {
  train::Config config;
  test::Source source;
};

Subject signs(void (*change)(train::Config&)) {
  train::Config c = test::three_parts_config();
  change(c);
  return {c, test::three_parts()};
}

/// A small model of series from a table, with the recipe of the task.
Subject series(
    const std::string& table, const std::string& name, const data::SeriesSettings& what,
    void (*change)(train::Config&) = [](train::Config&) {}) {
  const test::TemporaryFolder folder;
  folder.write(name, table);
  train::Config c = train::recipe("tuned", {.dataset = folder / name, .task = what.task});
  static_cast<data::SeriesSettings&>(c) = what;
  c.hidden = 6;
  c.batch_size = 7;
  c.steps = 40;
  c.lr = 0.02;
  c.eval_every = 3;
  c.threads = 1;
  change(c);
  const test::Source source = test::source(c);
  return {train::settled(c, *source), source};
}

Subject classify(void (*change)(train::Config&)) {
  return series(test::table_of_series(), "slopes.csv",
                {.task = data::Task::classify,
                 .target = {"kind"},
                 .ignore = {"rate"},
                 .series = "series",
                 .group = "subject",
                 .class_weights = data::ClassWeights::balanced},
                change);
}

Subject regress() {
  return series(test::table_of_series(), "slopes.csv",
                {.task = data::Task::regress,
                 .target = {"rate"},
                 .ignore = {"subject", "kind"},
                 .series = "series",
                 .validate = "none"});
}

/// Many words occur once, and training replaces these at random.
Subject label() {
  std::string table = "word\ttag\n";
  for (int k = 0; k < 40; ++k)
    table += fmt::format("the\tDET\nname{}\tNOUN\n{}\tVERB\n\n", k, k % 3 ? "runs" : "sees");
  return series(table, "words.tsv",
                {.task = data::Task::label, .target = {"tag"}, .words = "word"});
}

struct Case {
  const char* name;
  Subject (*make)();
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

/// Stops after a step; 0: never.
struct StopAt : train::Listener {
  train::Trainer* trainer = nullptr;
  std::int64_t step_number = 0;
  bool stop() override { return trainer->last_step().step == step_number; }
};

End train_run(const Subject& subject, const std::string& path, std::int64_t stop_at) {
  train::Trainer trainer(subject.config, subject.source);
  RunFolder folder(path, subject.config, provenance_of(trainer.source()), "signs");
  StopAt listener;
  listener.trainer = &trainer;
  listener.step_number = stop_at;
  return train_to_end(trainer, folder, {}, {{.steps = 4}, {&listener}});
}

End resume_run(const Subject& subject, const std::string& path, std::int64_t stop_at) {
  ResumedRun run(path);
  train::Trainer trainer(run.config(), subject.source);
  if (run.checkpoint()) trainer.resume(*run.checkpoint());
  StopAt listener;
  listener.trainer = &trainer;
  listener.step_number = stop_at;
  return train_to_end(trainer, run.folder(), run.checkpoint(), {{.steps = 4}, {&listener}});
}

/// The findings that are not good.
std::vector<std::string> faults_of(const Subject& subject, const std::string& path) {
  std::vector<std::string> faults;
  Verification run(path, [&](const Finding& f) {
    if (!f.good) faults.push_back(f.text);
  });
  train::Trainer trainer(run.config(), subject.source);
  run.train_again(trainer);
  EXPECT_EQ(run.finish(trainer), faults.empty());
  return faults;
}

/// Steps at which a run of so many steps is stopped, at random.
std::vector<std::int64_t> stops(std::int64_t steps) {
  std::vector<std::int64_t> all;
  std::mt19937 random(5);
  for (int i = 0; i < 5; ++i)
    all.push_back(1 + static_cast<std::int64_t>(random() % static_cast<unsigned>(steps - 1)));
  return all;
}

class VerifiedRun : public testing::TestWithParam<Case> {};

TEST_P(VerifiedRun, HasTheSameFilesAfterInterruptions) {
  const Subject subject = GetParam().make();
  const test::TemporaryFolder folder;
  const End whole = train_run(subject, folder / "whole", 0);
  EXPECT_EQ(whole.status, RunStatus::finished);
  EXPECT_EQ(whole.evaluation.part, data::Split::test);
  EXPECT_EQ(faults_of(subject, folder / "whole"), std::vector<std::string>());
  const auto content = [&](const std::string& run, const char* file) {
    return test::content_of(folder / (run + "/" + file));
  };
  const std::string metrics = content("whole", "metrics.jsonl");
  std::int64_t steps = 0;
  for (const std::string& line : test::lines_of(metrics))
    steps += line.find(R"("event":"step")") != std::string::npos;
  ASSERT_GE(steps, 12);
  int resumed = 0;
  const std::vector<std::int64_t> chosen = {1, 4, 10, 17, 23, 30, 35, 41};
  for (const std::int64_t stop : subject.source->series_settings() ? stops(steps) : chosen) {
    SCOPED_TRACE(stop);
    const std::string name = fmt::format("run{}at{}", resumed, stop);
    const End first = train_run(subject, folder / name, stop);
    if (first.status == RunStatus::finished) break;
    EXPECT_EQ(first.step, stop);
    if (++resumed % 2 == 0) {
      EXPECT_EQ(faults_of(subject, folder / name), std::vector<std::string>());
    }
    const End end = resume_run(subject, folder / name, 0);
    EXPECT_EQ(end.step, whole.step);
    EXPECT_EQ(content(name, "model.safetensors"), content("whole", "model.safetensors"));
    EXPECT_EQ(content(name, "metrics.jsonl"), metrics);
    EXPECT_EQ(content(name, "samples.safetensors"), content("whole", "samples.safetensors"));
    if (subject.source->series_settings()) {
      EXPECT_EQ(content(name, "predictions.csv"), content("whole", "predictions.csv"));
    }
  }
  EXPECT_GE(resumed, 3);
}

void with_refit(train::Config& c) {
  c.patience = 2;
  c.refit = true;
}

constexpr Case cases[] = {
    {"Best", [] { return signs([](train::Config&) {}); }},
    {"Refit", [] { return signs(with_refit); }},
    {"Classify", [] { return classify([](train::Config& c) { c.patience = 2; }); }},
    {"ClassifyAndRefit", [] { return classify(with_refit); }},
    {"Regress", regress},
    {"LabelWithWordsThatOccurOnce", label},
};
INSTANTIATE_TEST_SUITE_P(Run, VerifiedRun, testing::ValuesIn(cases),
                         [](const auto& test) { return test.param.name; });

// Another test part stands for the random numbers.
TEST(WithoutTest, TheWeightsOfAnHonestRunAreTheSame) {
  const test::TemporaryFolder folder;
  train::Config c = test::three_parts_config();
  c.patience = 2;
  train_run({c, test::three_parts()}, folder / "run", 0);
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
  train_run({test::three_parts_config(), test::three_parts()}, folder / "run", 0);
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
