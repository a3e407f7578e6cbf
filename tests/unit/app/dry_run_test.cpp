// unroll train --dry-run: every setting that has an effect, and no run.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/expect_parts.h"
#include "support/patterns.h"
#include "support/refusal.h"
#include "support/small_run.h"
#include "train/settings.h"

namespace unroll::app {
namespace {

using Json = nlohmann::json;
using Arguments = std::vector<std::string>;

/// The settings that --json prints. Nothing may be left in the folder it ran in.
Json settings_of(Arguments arguments) {
  arguments.insert(arguments.begin(), "train");
  arguments.insert(arguments.end(), {"--dry-run", "--json"});
  test::Program program(arguments);
  const auto result = program.finish();
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(std::filesystem::is_empty(program.folder() / "work"));
  const Json line = Json::parse(result.out);
  EXPECT_EQ(line.at("event"), "settings");
  return line.at("settings");
}

void expect_setting(const Json& settings, const char* key, const Json& value, const char* from) {
  EXPECT_EQ(settings.at(key), (Json{{"value", value}, {"from", from}})) << key;
}

TEST(DryRun, NamesEveryValueAndItsSource) {
  const Json settings = settings_of({"--recipe", "tuned", "--model", "gru", "--hidden", "50"});
  expect_setting(settings, "recipe", "tuned", "flag");
  expect_setting(settings, "dataset", "mnist", "default");
  expect_setting(settings, "model", "gru", "flag");
  expect_setting(settings, "hidden", 50, "flag");
  expect_setting(settings, "lr", 0.01, "recipe");
  expect_setting(settings, "batch_size", 100, "default");
  // Settings without effect are left out.
  for (const char* key : {"activation", "zoneout_c", "length", "gamma", "amsgrad"})
    EXPECT_FALSE(settings.contains(key)) << key;
  // The values are those of the run.
  train::Config config = train::recipe("tuned", train::ModelKind::gru);
  config.hidden = 50;
  for (const auto& [key, entry] : settings.items())
    EXPECT_EQ(Json(train::setting_of(key).json(config)), entry.at("value")) << key;
}

TEST(DryRun, OfATaskAndWithoutARecipe) {
  const Json settings = settings_of({"adding"});
  expect_setting(settings, "recipe", "tuned", "default");
  expect_setting(settings, "model", "gru", "recipe");
  expect_setting(settings, "length", 100, "default");
  EXPECT_FALSE(settings.contains("augment"));
}

TEST(DryRun, AsTextIsATable) {
  const auto result =
      test::run_program({"train", "--dry-run", "--model", "lstm", "--clip-norm", "2"});
  EXPECT_EQ(result.code, 0);
  for (const char* line :
       {"  --model +lstm +flag\n", "  --lr +0.01 +recipe\n", "  --clip-norm +2 +flag\n",
        "  dataset +mnist +default\n", "  --pixels +off +default\n", "\nRegularisation:\n"})
    EXPECT_FALSE(test::search(result.out, line).empty()) << line << result.out;
  // The data is not here, and not needed.
  EXPECT_NE(result.err.find("mnist is not on this machine"), std::string::npos) << result.err;
}

TEST(DryRun, RefusesWhatTrainingRefuses) {
  const auto refused = [](Arguments arguments, const std::vector<std::string>& parts) {
    arguments.insert(arguments.begin(), {"train", "--dry-run"});
    test::expect_refused(arguments, 2, parts);
  };
  refused({"--lr", "0"}, {"lr", "above 0"});
  refused({"--momentum", "0.5", "--optimizer", "adam"}, {"--momentum has no effect"});
  refused({"adding", "--length", "1000000", "--batch-size", "1000000"}, {"batch-size", "smaller"});
  refused({"minst"}, {"minst", "mnist"});
  refused({"--resume", "run"}, {"--dry-run", "--resume", "leave one out"});
  refused({"--out", "-"}, {"--out", "folder"});
}

/// Training completes an interrupted download, so the dry run doesn't fail.
TEST(DryRun, NeedsNoCompleteDownload) {
  const test::SmallRun runs;
  std::filesystem::create_directories(runs.folder / "cache/unroll");
  std::filesystem::rename(runs.mnist, runs.folder / "cache/unroll/mnist");
  for (const char* file : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"})
    std::filesystem::remove(runs.folder / "cache/unroll/mnist/" + file);
  const auto result =
      test::run_program({"train", "mnist", "--dry-run"},
                        {.environment = {{"XDG_CACHE_HOME", runs.folder / "cache"}}});
  EXPECT_EQ(result.code, 0) << result.err;
  test::expect_parts(result.err, {"mnist has only 2 of its 4 files", "not checked against it"});
}

/// Data that is on this machine is looked at.
TEST(DryRun, ChecksTheModelAgainstDataThatIsHere) {
  const test::SmallRun runs;
  const auto result = runs.train("run", {"--dry-run", "--model", "cnn", "--layers", "6"});
  EXPECT_EQ(result.code, 2);
  test::expect_parts(result.err, {"[layers]", "28x28"});
  EXPECT_EQ(runs.train("run", {"--dry-run"}).code, 0);
  EXPECT_FALSE(std::filesystem::exists(runs.folder / "run"));
  // Images of one's own decide the normalization.
  const Json settings = settings_of({test::write_small_set(runs.folder, "own")});
  EXPECT_TRUE(settings.at("normalize").at("value").is_array()) << settings;
  EXPECT_EQ(settings.at("normalize").at("from"), "recipe");
}

}  // namespace
}  // namespace unroll::app
