// Colours: on a terminal, and never where somebody refused them or no terminal is.
#include <gtest/gtest.h>

#include "support/program.h"

namespace unroll::app {
namespace {

constexpr const char* kRed = "\033[31munroll:\033[0m [data]";

/// What stderr has of a command that fails.
std::string shown(const std::map<std::string, std::string>& environment, bool terminal = true) {
  const auto result = test::run_program(
      {"train", "nowhere"}, {.environment = environment, .stderr_is_terminal = terminal});
  EXPECT_EQ(result.code, 2);
  return result.err;
}

TEST(Colours, AreOnATerminal) {
  if (!test::has_terminals()) GTEST_SKIP() << "no terminals here";
  EXPECT_TRUE(shown({{"TERM", "xterm"}, {"NO_COLOR", ""}}).starts_with(kRed));
}

TEST(Colours, AreNeverUnderNoColor) {
  if (!test::has_terminals()) GTEST_SKIP() << "no terminals here";
  const std::map<std::string, std::string> refusals[] = {
      {{"TERM", "xterm"}, {"NO_COLOR", "1"}},
      {{"TERM", "xterm"}, {"NO_COLOR", "false"}},
      {{"TERM", "dumb"}, {"NO_COLOR", ""}},
  };
  for (const auto& environment : refusals) {
    const std::string text = shown(environment);
    EXPECT_TRUE(text.starts_with("unroll: [data]")) << text;
    EXPECT_EQ(text.find('\033'), std::string::npos) << text;
  }
}

TEST(Colours, AreNeverInAFile) {
  const std::string text = shown({{"TERM", "xterm"}, {"NO_COLOR", ""}}, false);
  EXPECT_TRUE(text.starts_with("unroll: [data]")) << text;
  EXPECT_EQ(text.find('\033'), std::string::npos) << text;
}

// The line that is redrawn is no colour, and no part of a file either.
TEST(Colours, ProgressInAFileHasNone) {
  const auto result = test::run_program(
      {"train", "adding", "--length", "5", "--steps", "3", "--out", "run", "--save-at", "100"},
      {.environment = {{"TERM", "xterm"}}});
  EXPECT_EQ(result.code, 0);
  EXPECT_NE(result.err.find("note: --save-at 100"), std::string::npos) << result.err;
  EXPECT_EQ((result.out + result.err).find('\033'), std::string::npos) << result.err;
}

}  // namespace
}  // namespace unroll::app
