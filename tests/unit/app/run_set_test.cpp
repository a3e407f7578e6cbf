// The runs that --seeds and --sweep ask for, and what the program says of mistakes in them.
#include "app/run_set.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "app/arguments.h"
#include "unroll/core/error.h"

namespace unroll::app {
namespace {

using Words = std::vector<std::string>;

/// The command line of a training, read.
struct Typed {
  CommandEntry program;
  TrainFlags train;
  SetFlags set;

  explicit Typed(const Words& words, const std::string& dataset = "mnist") {
    program.path = "unroll";
    Command command = Command(program).add("train", "", "");
    train.add_to(command);
    set.add_to(command);
    command.set_work([] { return 0; });
    Words all = {"train", dataset};
    all.insert(all.end(), words.begin(), words.end());
    read_arguments(program, all);
  }

  Words names() const {
    Words all;
    for (const SetRun& run : set.runs(train)) all.push_back(run.name);
    return all;
  }
  std::string fault() const {
    try {
      set.runs(train);
    } catch (const Error& error) {
      return std::string(error.reason());
    }
    return "";
  }
};

TEST(RunSet, NamesSayWhatDiffers) {
  EXPECT_EQ(Typed({"--seeds", "0-2"}).names(), (Words{"seed0", "seed1", "seed2"}));
  EXPECT_EQ(Typed({"--seeds", "7,3"}).names(), (Words{"seed7", "seed3"}));
  EXPECT_EQ(
      Typed({"--sweep", "lr=1e-3,0.003", "hidden=32,64"}).names(),
      (Words{"lr0.001-hidden32", "lr0.001-hidden64", "lr0.003-hidden32", "lr0.003-hidden64"}));
  EXPECT_EQ(Typed({"--sweep", "model=gru,lstm", "--seeds", "0,1"}).names(),
            (Words{"model-gru-seed0", "model-gru-seed1", "model-lstm-seed0", "model-lstm-seed1"}));
  EXPECT_EQ(Typed({"--sweep", "bidirectional=off,on", "input=rows,pixels"}).names(),
            (Words{"no-bidirectional-no-input", "no-bidirectional-pixels", "bidirectional-no-input",
                   "bidirectional-pixels"}));
}

TEST(RunSet, ARunHasItsSettings) {
  const Typed typed({"--sweep", "hidden=32,64", "--seeds", "4-5", "--lr", "0.25"});
  const std::vector<SetRun> runs = typed.set.runs(typed.train);
  ASSERT_EQ(runs.size(), 4U);
  const train::Config config = typed.train.resolve(runs[3].changes).config;
  EXPECT_EQ(config.hidden, 64);
  EXPECT_EQ(config.seed, 5U);
  EXPECT_EQ(config.lr, 0.25);
  EXPECT_TRUE(config.leave_test);  // only the best one is tested
  EXPECT_EQ(runs[3].settings.dump(), R"({"hidden":64,"seed":5})");
  EXPECT_EQ(runs[0].choice, 0U);
  EXPECT_EQ(runs[3].choice, 1U);
}

// The recipe follows the model.
TEST(RunSet, EachModelHasItsRecipe) {
  const Typed typed({"--sweep", "model=rnn,lstm"});
  const std::vector<SetRun> runs = typed.set.runs(typed.train);
  EXPECT_EQ(typed.train.resolve(runs[0].changes).config.lr, 0.005);
  EXPECT_EQ(typed.train.resolve(runs[1].changes).config.lr, 0.01);
}

TEST(RunSet, OnlySomeFlagsAskForSeveralRuns) {
  const auto several = [](const Words& words) {
    const Typed typed(words);
    return typed.set.ask_for_runs(typed.train);
  };
  EXPECT_FALSE(several({}));
  EXPECT_FALSE(several({"--seed", "3"}));
  EXPECT_TRUE(several({"--seeds", "3"}));
  EXPECT_TRUE(several({"--sweep", "lr=1"}));
}

TEST(RunSet, MistakesAreNamed) {
  EXPECT_EQ(Typed({"--seeds", "4-1"}).fault(), "--seeds 4-1, expected seeds as in 0-4 or 0,3,5");
  EXPECT_EQ(Typed({"--seeds", "0,0"}).fault(),
            "--seeds 0,0 has 0 twice, expected seeds as in 0-4 or 0,3,5");
  EXPECT_EQ(Typed({"--seeds", "0-99999"}).fault(),
            "--seeds 0-99999 are more than 10000, expected seeds as in 0-4 or 0,3,5");
  EXPECT_EQ(Typed({"--seeds", "1,,2"}).fault(), "--seeds 1,,2, expected seeds as in 0-4 or 0,3,5");
  EXPECT_EQ(Typed({"--seeds", "0-1", "--seed", "1"}).fault(),
            "--seeds and --seed both choose seeds; give one of them");
  EXPECT_EQ(Typed({"--sweep", "data.csv"}).fault(),
            "--sweep data.csv, expected NAME=VALUE,VALUE as in lr=0.001,0.003; other arguments "
            "come before --sweep");
  EXPECT_EQ(Typed({"--sweep", "lrr=1,2"}).fault(),
            "--sweep lrr=1,2: lrr is no setting that can be swept; did you mean lr?");
  EXPECT_EQ(Typed({"--sweep", "seed=1,2"}).fault(),
            "--sweep seed=1,2: seed is no setting that can be swept");
  // Their losses are of different scales, or of different parts.
  for (const std::string name : {"loss", "scale", "class_weights", "window", "group", "missing"})
    EXPECT_EQ(Typed({"--sweep", name + "=1,2"}).fault(),
              "--sweep " + name + "=1,2: " + name + " is no setting that can be swept");
  EXPECT_EQ(Typed({"--sweep", "lr=0.1,"}).fault(),
            "--sweep lr=0.1, has an empty value; leave one comma out");
  EXPECT_EQ(Typed({"--sweep", "lr=0.1,1e-1"}).fault(),
            "--sweep asks twice for lr0.1; give each value once");
  EXPECT_EQ(Typed({"--sweep", "lr=fast"}).fault(), "--lr fast, expected a number");
  EXPECT_EQ(Typed({"--sweep", "hidden=1.5"}).fault(), "--hidden 1.5, expected a whole number");
  EXPECT_EQ(Typed({"--sweep", "amsgrad=yes"}).fault(), "--amsgrad yes, expected on or off");
  EXPECT_EQ(Typed({"--lr", "1", "--sweep", "lr=1,2"}).fault(),
            "--sweep lr=1,2: lr has a value already; give it once");
  EXPECT_EQ(Typed({"--sweep", "lr=1,2", "lr=3"}).fault(),
            "--sweep lr=3: lr has a value already; give it once");
  EXPECT_EQ(Typed({"--sweep", "hidden=4,-1"}).fault(),
            "-1, expected a whole number from 1 to 65536");
}

TEST(RunSet, FlagsThatMakeNoSenseTogetherAreNamed) {
  const auto of_series = [](Words words) {
    words.insert(words.end(), {"--task", "classify", "--target", "a"});
    return Typed(words, "a.csv").fault();
  };
  // Whatever the recipe's patience is.
  for (const char* patience : {"9", "10", "11"})
    EXPECT_NE(of_series({"--patience", patience, "--eval-every", "0"})
                  .find("counts evaluations; give --eval-every at least 1"),
              std::string::npos)
        << patience;
  EXPECT_EQ(of_series({"--eval-every", "0"}), "");
  EXPECT_EQ(of_series({"--refit", "--leave-test"}),
            "--refit trains on the validation part, too, so that --leave-test leaves nothing to "
            "test the model on; leave one of both out");
  EXPECT_EQ(of_series({"--refit", "--sweep", "lr=0.1,0.2"}), "");
}

TEST(RunSet, TheFolderIsNamedAfterTheFlags) {
  const Typed seeds({"--seeds", "0-4"});
  EXPECT_EQ(seeds.set.name(seeds.train.resolve().config, "mnist"), "mnist-rnn-tuned-seeds0-4");
  std::string many = "0-9";
  for (int seed = 10; seed < 100; ++seed) many += "," + std::to_string(seed);
  const Typed hundred({"--seeds", many});
  EXPECT_EQ(hundred.set.name(hundred.train.resolve().config, "mnist"), "mnist-rnn-tuned-100-seeds");
  const Typed sweep({"--seed", "7", "--sweep", "lr=1,2", "hidden=3,4"});
  EXPECT_EQ(sweep.set.name(sweep.train.resolve().config, "mnist"),
            "mnist-rnn-tuned-seed7-sweep-lr-hidden");
}

}  // namespace
}  // namespace unroll::app
