// What `unroll train` shows on a terminal.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include "support/expect_parts.h"
#include "support/patterns.h"
#include "support/small_run.h"

namespace unroll {
namespace {

using test::expect_parts;
using test::SmallRun;
using Texts = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

const Variables kXterm = {{"TERM", "xterm"}, {"LC_ALL", "C.UTF-8"}};
const Texts kEndless = {"--steps", "100000000", "--eval-every", "0", "--hidden", "4"};

/// The texts that were drawn from the first column on, without escape sequences.
Texts drawn(const std::string& shown) {
  Texts all(1);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (shown[i] == '\r' || shown[i] == '\n') {
      all.emplace_back();
    } else if (shown[i] == '\033') {
      while (i + 1 < shown.size() && !std::isalpha(static_cast<unsigned char>(shown[i]))) ++i;
    } else {
      all.back() += shown[i];
    }
  }
  std::erase(all, "");
  return all;
}

int columns_of(const std::string& text) {
  return static_cast<int>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

class Terminal : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::has_terminals()) GTEST_SKIP() << "no terminals here";
  }
  SmallRun runs_;
};

class TerminalWidth : public Terminal, public testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Columns, TerminalWidth, testing::Values(20, 40, 60, 80, 120, 200));

TEST_P(TerminalWidth, NoDrawnLineIsWider) {
  test::Program program(runs_.train_arguments("run", kEndless),
                        {.environment = kXterm, .stderr_is_terminal = true, .columns = GetParam()});
  program.wait_for_error("/100000000");
  program.send_signal(SIGINT);
  const auto result = program.finish();
  EXPECT_EQ(result.code, 130);
  int lines = 0;
  for (const std::string& line : drawn(result.err)) {
    if (line.find("/100000000") == std::string::npos) continue;
    EXPECT_LT(columns_of(line), GetParam()) << line;
    ++lines;
  }
  EXPECT_GT(lines, 0);
  const bool has_bars = result.err.find("▁") != std::string::npos;
  if (GetParam() <= 40) {
    EXPECT_FALSE(has_bars) << result.err;
  }
  if (GetParam() >= 80) {
    EXPECT_TRUE(has_bars) << result.err;
  }
}

TEST_F(Terminal, AResizeInTheMiddleIsNoticed) {
  test::Program program(runs_.train_arguments("run", kEndless),
                        {.environment = kXterm, .stderr_is_terminal = true, .columns = 200});
  program.wait_for_error("steps/s");
  program.resize(20);
  // All but the steps is left out.
  program.wait_for_error("/100000000\033[?7h");
  program.resize(200);
  program.send_signal(SIGINT);
  const auto result = program.finish();
  EXPECT_EQ(result.code, 130);
}

// Few of these steps fit into the time between two drawings.
TEST_F(Terminal, BarsBeginBeforeARunWasResumed) {
  const Texts flags = {"--steps", "100000000", "--eval-every", "40", "--hidden", "128"};
  test::Program first(runs_.train_arguments("run", flags));
  first.wait_for_output("Iteration: 40,");
  first.send_signal(SIGINT);
  ASSERT_EQ(first.finish().code, 130);
  test::Program again({"train", "--resume", runs_.folder / "run", "--data-dir", runs_.data_dir},
                      {.environment = kXterm, .stderr_is_terminal = true, .columns = 250});
  again.wait_for_error("steps/s");
  again.send_signal(SIGINT);
  for (const std::string& line : drawn(again.finish().err)) {
    if (line.find("steps/s") == std::string::npos) continue;
    const std::string bars = line.substr(line.rfind("  ") + 2);
    EXPECT_GT(columns_of(bars), 40) << line;
  }
}

TEST_F(Terminal, AsksColumnsIfTheTerminalDoesNotSay) {
  Variables variables = kXterm;
  variables["COLUMNS"] = "31";
  variables["LC_ALL"] = "C";
  test::Program program(runs_.train_arguments("run", kEndless),
                        {.environment = variables, .stderr_is_terminal = true});
  program.wait_for_error("/100000000");
  program.send_signal(SIGINT);
  for (const std::string& line : drawn(program.finish().err))
    if (line.find("/100000000") != std::string::npos) {
      EXPECT_LT(columns_of(line), 31) << line;
    }
}

TEST_F(Terminal, BarsAreAsciiInOtherLocales) {
  Variables variables = kXterm;
  variables["LC_ALL"] = "C";
  test::Program program(runs_.train_arguments("run", kEndless),
                        {.environment = variables, .stderr_is_terminal = true, .columns = 200});
  program.wait_for_error("steps/s");
  program.send_signal(SIGINT);
  const std::string shown = program.finish().err;
  for (const std::string& line : drawn(shown))
    if (line.find("steps/s") != std::string::npos) {
      EXPECT_TRUE(test::matches(line, "[ -~]+")) << line;
    }
}

/// The three commands under "what to try next".
Texts next_commands(const std::string& shown) {
  Texts commands;
  bool here = false;
  for (const std::string& line : drawn(shown)) {
    if (here) commands.push_back(line.substr(2, line.find("  # ") - 2));
    here = here || line == "what to try next";
  }
  return commands;
}

const Texts kShort = {"--steps", "20", "--eval-every", "10", "--save-at", "5,10"};

TEST_F(Terminal, ASummaryStandsAtTheEnd) {
  const auto result = runs_.train("run", kShort,
                                  {.environment = kXterm,
                                   .stderr_is_terminal = true,
                                   .stdout_is_terminal = true,
                                   .columns = 100});
  ASSERT_EQ(result.code, 0);
  const Texts lines = drawn(result.err);
  const auto matching = [&](const std::string& pattern) {
    return std::ranges::count_if(lines,
                                 [&](const std::string& l) { return test::matches(l, pattern); });
  };
  EXPECT_EQ(matching(R"(Test accuracy: .* correct\))"), 1);
  EXPECT_EQ(matching(R"(20 steps in \d+\.\d\d s: .*)"), 1);
  EXPECT_EQ(matching(R"(  model\.safetensors +57\.\d kB)"), 1);
  EXPECT_EQ(matching(R"(  step_\*\.safetensors \(2\) +114\.\d kB)"), 1);
  EXPECT_EQ(matching(R"(  config\.json +\d\.\d kB)"), 1);
  expect_parts(result.err, {"the run is in " + runs_.folder / "run"});
  EXPECT_EQ(next_commands(result.err).size(), 3u) << result.err;
}

// Whoever redirects stdout sees the result all the same, and stdout has what it has in a pipe.
TEST_F(Terminal, OnlyOneStreamIsATerminal) {
  const auto piped = runs_.train("piped", kShort);
  const auto out_in_file =
      runs_.train("out", kShort, {.environment = kXterm, .stderr_is_terminal = true});
  EXPECT_EQ(out_in_file.out, piped.out);
  expect_parts(out_in_file.err, {"Test accuracy: ", "what to try next"});
  const auto err_in_file =
      runs_.train("err", kShort, {.environment = kXterm, .stdout_is_terminal = true});
  EXPECT_EQ(err_in_file.code, 0);
  EXPECT_EQ(err_in_file.err.find("what to try next"), std::string::npos);
  EXPECT_EQ(err_in_file.err.find('\033'), std::string::npos);
  EXPECT_EQ(drawn(err_in_file.err), test::lines_of(piped.out));
}

TEST_F(Terminal, JsonAndQuietAreAsInAPipe) {
  for (const char* flag : {"--json", "--quiet"}) {
    const std::string out = std::string("run") + flag;
    Texts flags = kShort;
    flags.emplace_back(flag);
    const auto result =
        runs_.train(out, flags, {.environment = kXterm, .stderr_is_terminal = true});
    EXPECT_EQ(result.err.find("what to try next"), std::string::npos) << result.err;
    EXPECT_EQ(result.err.find("step "), std::string::npos) << result.err;
  }
}

TEST_F(Terminal, ADumbOneGetsNoEscapeSequences) {
  Variables variables = kXterm;
  variables["TERM"] = "dumb";
  const auto result =
      runs_.train("run", kShort, {.environment = variables, .stderr_is_terminal = true});
  EXPECT_EQ(result.err.find('\033'), std::string::npos) << result.err;
  expect_parts(result.err, {"what to try next"});
}

struct TriedRun {
  const char* name;
  const char* dataset;
  Texts flags;
  const char* first;  // what the first command begins with
};

class TerminalNext : public Terminal, public testing::WithParamInterface<TriedRun> {};
INSTANTIATE_TEST_SUITE_P(
    Runs, TerminalNext,
    testing::Values(
        TriedRun{"Good", "mnist", {"--steps", "300"}, "unroll report "},
        TriedRun{"Poor", "mnist", {"--steps", "2"}, "unroll train "},
        TriedRun{"Epochs", "mnist", {"--epochs", "1", "--lr", "1e-9"}, "unroll train "},
        TriedRun{"Tutorial", "mnist", {"--recipe", "tutorial", "--steps", "2"}, "unroll train "},
        TriedRun{"Bidirectional", "mnist", {"--steps", "300", "--bidirectional"}, "unroll report "},
        TriedRun{"LayerNorm", "mnist", {"--steps", "300", "--layer-norm"}, "unroll report "},
        TriedRun{"Permuted", "mnist", {"--steps", "2", "--permute"}, "unroll train "},
        TriedRun{
            "Cnn", "mnist", {"--steps", "2", "--model", "cnn", "--hidden", "2"}, "unroll train "},
        TriedRun{"Adding", "adding", {"--steps", "2", "--length", "5"}, "unroll train "}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_P(TerminalNext, CommandsWork) {
  Texts arguments = {"train", GetParam().dataset,   "--data-dir", runs_.data_dir,
                     "--out", runs_.folder / "run", "--hidden",   "32"};
  if (std::ranges::find(GetParam().flags, "--hidden") != GetParam().flags.end())
    arguments.resize(arguments.size() - 2);
  arguments.insert(arguments.end(), GetParam().flags.begin(), GetParam().flags.end());
  const auto result = test::run_program(
      arguments, {.environment = kXterm, .stderr_is_terminal = true, .columns = 100});
  ASSERT_EQ(result.code, 0) << result.err;
  const Texts commands = next_commands(result.err);
  ASSERT_EQ(commands.size(), 3u) << result.err;
  EXPECT_TRUE(commands[0].starts_with(GetParam().first)) << commands[0];
  for (const std::string& command : commands) {
    ASSERT_TRUE(command.starts_with("unroll ")) << command;
    // Nobody waits for a long training: its settings are enough.
    const bool trains = command.starts_with("unroll train");
    if (trains) {  // the same model again
      EXPECT_TRUE(test::matches(command, ".* (--model|--config) .*")) << command;
    }
    const auto done = test::run_program(
        {}, {.script = "\"$0\" " + command.substr(7) + (trains ? " --dry-run" : "")});
    EXPECT_EQ(done.code, 0) << command << '\n' << done.err;
  }
}

}  // namespace
}  // namespace unroll
