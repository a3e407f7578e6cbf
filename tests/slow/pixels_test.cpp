// unroll train mnist --pixels, --permute, --tbptt: as a user gives them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/small_run.h"

namespace unroll {
namespace {

using Json = nlohmann::json;
using test::SmallRun;

TEST(Pixels, APermutationWithoutASeedIsThatOfSeedZero) {
  const SmallRun runs;
  ASSERT_EQ(runs.train("none", {"--pixels", "--steps", "1", "--hidden", "5", "--permute"}).code, 0);
  ASSERT_EQ(
      runs.train("zero", {"--permute", "0", "--pixels", "--steps", "1", "--hidden", "5"}).code, 0);
  ASSERT_EQ(runs.train("one", {"--permute", "1", "--pixels", "--steps", "1", "--hidden", "5"}).code,
            0);
  const Json config = Json::parse(test::content_of(runs.folder / "none/config.json"));
  EXPECT_EQ(config.at("settings").at("input"), "pixels");
  EXPECT_EQ(config.at("settings").at("permute"), 0);
  EXPECT_TRUE(runs.model("none") == runs.model("zero"));
  EXPECT_TRUE(runs.model("none") != runs.model("one"));
  // A word behind it that is no number is the data set.
  const auto shown = test::run_program({"train", "--permute", "mnist", "--dry-run", "--json"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  const Json settings = Json::parse(shown.out).at("settings");
  EXPECT_EQ(settings.at("dataset"), (Json{{"value", "mnist"}, {"from", "flag"}}));
  EXPECT_EQ(settings.at("permute"), (Json{{"value", 0}, {"from", "flag"}}));
}

TEST(Pixels, EveryRecurrentModelReadsThemInChunks) {
  const SmallRun runs;
  for (const std::string model : {"rnn", "lstm", "gru"}) {
    const auto train = [&](const std::string& out, const std::string& threads) {
      return runs.train(out, {"--pixels", "--permute", "9", "--model", model, "--tbptt", "100",
                              "--steps", "3", "--hidden", "8", "--threads", threads});
    };
    const auto result = train(model, "1");
    ASSERT_EQ(result.code, 0) << result.err;
    ASSERT_EQ(train(model + "2", "2").code, 0);
    EXPECT_TRUE(runs.model(model) == runs.model(model + "2"));
    ASSERT_EQ(runs.train(model + "3", {"--config", runs.folder / (model + "/config.json")}).code,
              0);
    EXPECT_TRUE(runs.model(model) == runs.model(model + "3"));
    ASSERT_EQ(runs.train(model + "4",
                         {"--config", runs.folder / (model + "/config.json"), "--tbptt", "3"})
                  .code,
              0);
    EXPECT_TRUE(runs.model(model) != runs.model(model + "4"));
  }
}

}  // namespace
}  // namespace unroll
