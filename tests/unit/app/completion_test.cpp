// What is made of the command line: completions, the man page, --version.
#include <gtest/gtest.h>

#include "core/numerics.h"
#include "kernels/table.h"
#include "support/program.h"

namespace unroll::app {
namespace {

using test::run_program;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The commands that --help lists.
std::vector<std::string> commands_of_help() {
  std::vector<std::string> commands;
  bool listing = false;
  for (const std::string& line : test::lines_of(run_program({"--help"}).out)) {
    if (listing && line.starts_with("  ") && line[2] != ' ')
      commands.push_back(line.substr(2, line.find(' ', 2) - 2));
    listing = line.ends_with("commands:") || (listing && line.starts_with(" "));
  }
  return commands;
}

TEST(Completion, OfEveryShellHasEveryCommandAndItsFlags) {
  const std::vector<std::string> commands = commands_of_help();
  EXPECT_GE(commands.size(), 9u);
  for (const char* shell : {"bash", "zsh", "fish"}) {
    SCOPED_TRACE(shell);
    const auto result = run_program({"completion", shell});
    EXPECT_EQ(result.code, 0) << result.err;
    for (const std::string& command : commands) EXPECT_TRUE(has(result.out, command)) << command;
    EXPECT_TRUE(has(result.out, "weight-decay"));
    EXPECT_TRUE(has(result.out, "fetch"));  // of data
  }
}

TEST(Completion, OfAnUnknownShellIsRefused) {
  const auto result = run_program({"completion", "tcsh"});
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(has(result.err, "tcsh")) << result.err;
  EXPECT_TRUE(has(result.err, "bash, zsh or fish")) << result.err;
}

TEST(Manual, HasEveryCommandWithItsExample) {
  const auto result = run_program({"manual"});
  EXPECT_EQ(result.code, 0) << result.err;
  for (const std::string& command : commands_of_help())
    EXPECT_TRUE(has(result.out, ".SS \\fBunroll " + command + "\\fR")) << command;
  EXPECT_TRUE(has(result.out, "\n.EX\n    unroll train mnist"));
  EXPECT_TRUE(has(result.out, "\\fB\\-\\-weight\\-decay\\fR"));
  // No line of text passes for a request of roff's.
  for (const std::string& line : test::lines_of(result.out))
    if (line.starts_with(".")) {
      EXPECT_TRUE(has(".TH .SH .SS .TP .PP .EX .EE .nf .fi", line.substr(0, 3))) << line;
    }
}

TEST(Version, NamesWhatDecidesTheBits) {
  const auto result = run_program({"--version"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(result.out.starts_with("unroll ")) << result.out;
  for (const std::string& part :
       {std::string("commit "), "revision " + std::to_string(numerics::revision),
        std::string(kernels::instruction_sets().front()), std::string("Highway 1."),
        std::string("OpenSSL 3.")})
    EXPECT_TRUE(has(result.out, part)) << part << " in\n" << result.out;
  EXPECT_EQ(run_program({"-V"}).out, result.out);
  // Also with an UNROLL_ISA that no command would accept.
  EXPECT_EQ(run_program({"--version"}, {.environment = {{"UNROLL_ISA", "no"}}}).out, result.out);
}

}  // namespace
}  // namespace unroll::app
