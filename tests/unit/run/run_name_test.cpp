#include "run/run_name.h"

#include <gtest/gtest.h>

#include "support/small_set.h"
#include "support/temporary_folder.h"

namespace unroll::run {
namespace {

using train::Config;
using train::ModelKind;
using train::recipe;

std::string named(Config config, void (*change)(Config&)) {
  change(config);
  return run_name(config, "mnist");
}

TEST(RunName, IsTheRecipesIfNothingElseWasAskedFor) {
  EXPECT_EQ(run_name(recipe("tuned"), "mnist"), "mnist-rnn-tuned-seed0");
  EXPECT_EQ(run_name(recipe("sprint", ModelKind::gru), "mnist"), "mnist-gru-sprint-seed0");
  EXPECT_EQ(run_name(recipe("tuned", ModelKind::cnn), "kmnist"), "kmnist-cnn-tuned-seed0");
  EXPECT_EQ(run_name(recipe("tuned", {.dataset = "copy"}), "copy"), "copy-rnn-tuned-seed0");
  // Neither of these changes a weight.
  EXPECT_EQ(named(recipe("tuned"),
                  [](Config& c) {
                    c.seed = 7;
                    c.threads = 3;
                    c.rows_at_once = 16;
                    c.eval_every = 1;
                    c.save_at = {1, 2};
                  }),
            "mnist-rnn-tuned-seed7");
}

TEST(RunName, HasEachSettingThatDiffersInTheOrderOfTheTable) {
  EXPECT_EQ(named(recipe("tuned", ModelKind::gru), [](Config& c) { c.lr = 0.01; }),
            "mnist-gru-tuned-seed0");  // it is the recipe's
  EXPECT_EQ(named(recipe("tuned", ModelKind::gru), [](Config& c) { c.lr = 0.02; }),
            "mnist-gru-tuned-lr0.02-seed0");
  EXPECT_EQ(named(recipe("tutorial"),
                  [](Config& c) {
                    c.clip_norm = 1;
                    c.lr = 1e-5;
                    c.steps = 300;
                    c.hidden = 50;
                  }),
            "mnist-rnn-tutorial-hidden50-steps300-lr1e-05-clip-norm1-seed0");
  EXPECT_EQ(
      named(recipe("tuned"),
            [](Config& c) {
              c.bidirectional = true;
              c.input = spec::Form::pixels;
              c.permute = 3;
              c.optimizer = train::Algorithm::adam;
              c.normalization = {0.5, 0.25};
            }),
      "mnist-rnn-tuned-permute3-pixels-bidirectional-normalize-0.5-0.25-optimizer-adam-seed0");
}

// Other layers and activations have other rates in the recipe: those are not the user's.
TEST(RunName, DoesNotNameWhatTheRecipeChoseForTheShape) {
  EXPECT_EQ(run_name(recipe("tuned", ModelKind::rnn, 2), "mnist"), "mnist-rnn-tuned-layers2-seed0");
  EXPECT_EQ(run_name(recipe("tuned", ModelKind::rnn, {}, spec::Activation::tanh), "mnist"),
            "mnist-rnn-tuned-activation-tanh-seed0");
}

TEST(RunName, OfAFolderDoesNotNameWhatTheDataDecides) {
  const test::TemporaryFolder folder;
  const std::string own = test::write_small_set(folder, "own");
  Config config = recipe("tuned", {.dataset = own});
  EXPECT_EQ(run_name(config, "own"), "own-rnn-tuned-seed0");
  config.normalization = data::Normalization{};
  config.augment = 1;
  EXPECT_EQ(run_name(config, "own"), "own-rnn-tuned-augment-shift1-normalize-none-seed0");
}

TEST(RunName, OfOtherImagesInAFolderCalledAsAKnownSet) {
  const test::TemporaryFolder folder;
  const Config config = recipe("tuned", {.dataset = test::write_small_set(folder, "mnist")});
  EXPECT_EQ(run_name(config, "mnist"), "mnist-rnn-tuned-seed0");
}

TEST(RunName, IsShortAndSafe) {
  EXPECT_EQ(run_name(recipe("tuned"), ""), "data-rnn-tuned-seed0");
  Config config = recipe("tuned", {.dataset = "nowhere"});
  EXPECT_EQ(run_name(config, "my set; rm *\\x1b"), "my_set__rm___x1b-rnn-tuned-seed0");
  EXPECT_EQ(run_name(config, "größe"), "größe-rnn-tuned-seed0");
  // A long name is cut between two characters.
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "ü";
  EXPECT_EQ(run_name(config, "x" + umlauts), "x" + umlauts.substr(0, 38) + "-rnn-tuned-seed0");
  config.hidden = 64, config.layers = 2, config.bidirectional = true, config.layer_norm = true;
  config.dropout = 0.123456789, config.zoneout_h = 0.1, config.steps = 7, config.seed = ~0ULL;
  // The third is --lr-others, which the recipe lowers for two layers.
  EXPECT_EQ(run_name(config, "own"),
            "own-rnn-tuned-hidden64-layers2-dropout0.123456789-bidirectional-layer-norm-and-3-more"
            "-seed18446744073709551615");
}

// Only an edited config.json can say this.
TEST(RunName, OfARecipeThatTheDataHasNot) {
  Config config = recipe("tuned", {.dataset = "copy"});
  config.recipe = "sprint";
  EXPECT_EQ(run_name(config, "copy"), "copy-rnn-sprint-seed0");
}

}  // namespace
}  // namespace unroll::run
