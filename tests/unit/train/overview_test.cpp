#include "train/overview.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/numerics.h"
#include "support/program.h"

namespace unroll::train {
namespace {

bool has(const std::vector<std::string>& all, const char* one) {
  return std::ranges::find(all, one) != all.end();
}

TEST(Overview, FlagsOfAModelAreThoseThatAnotherHasNot) {
  const auto lstm = own_flags_of(ModelKind::lstm), fnn = own_flags_of(ModelKind::fnn);
  for (const char* flag : {"--layers", "--pixels", "--proj-size", "--forget-bias"})
    EXPECT_TRUE(has(lstm, flag)) << flag;
  EXPECT_TRUE(has(fnn, "--layers"));
  EXPECT_TRUE(has(fnn, "--activation"));
  EXPECT_FALSE(has(fnn, "--pixels"));
  EXPECT_FALSE(has(lstm, "--activation"));
  EXPECT_FALSE(has(lstm, "--seed"));
  EXPECT_FALSE(has(own_flags_of(ModelKind::logistic), "--layers"));
}

TEST(Overview, ResultsHaveTheCommandThatGivesThem) {
  std::vector<std::string> commands;
  for (const KnownResult& result : known_results()) commands.push_back(result.command());
  EXPECT_EQ(commands.front(), "unroll train mnist");
  EXPECT_TRUE(has(commands, "unroll train mnist --model gru"));
  EXPECT_TRUE(has(commands, "unroll train mnist --recipe tutorial --clip-norm 1"));
  EXPECT_TRUE(has(commands, "unroll train adding --length 100"));
  EXPECT_NEAR(known_results().front().mean(), 98.932, 1e-9);
}

// New bits are new results: measure them again, and change the documents with them.
TEST(Overview, ResultsAreOfThisRevision) { EXPECT_EQ(known_results_revision, numerics::revision); }

TEST(Overview, ResultsAreThoseOfTheDocuments) {
  const std::string documents = test::content_of(UNROLL_SOURCE_DIR "/README.md") +
                                test::content_of(UNROLL_SOURCE_DIR "/docs/results.md");
  for (const KnownResult& result : known_results())
    for (const double value : result.seeds) {
      if (std::isnan(value)) continue;
      std::string text = fmt::format("{:.2f}", value);
      if (result.metric != "accuracy") {
        text = fmt::format("{:.1e}", value);
        text.erase(text.find("e-0") + 2, 1);  // 3.0e-5
      }
      EXPECT_NE(documents.find(text), std::string::npos) << result.command() << ": " << text;
    }
}

}  // namespace
}  // namespace unroll::train
