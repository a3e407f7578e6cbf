// --verbose: what computes.
#include <gtest/gtest.h>

#include "core/numerics.h"
#include "support/small_run.h"

namespace unroll::app {
namespace {

/// The line of stderr about it; empty where there is none.
std::string line_of(const test::ProgramResult& result) {
  EXPECT_EQ(result.code, 0) << result.err;
  for (const std::string& line : test::lines_of(result.err))
    if (line.starts_with("instruction set ")) return line;
  return "";
}

TEST(Verbose, SaysWhatComputes) {
  const test::SmallRun runs;
  const test::ProgramOptions options{.environment = {{"UNROLL_ISA", "scalar"}}};
  const std::string revision = ", numerics revision " + std::to_string(numerics::revision);
  const std::vector<std::string> training = {"--steps",   "1", "--hidden",  "8",
                                             "--threads", "3", "--verbose", "--json"};
  EXPECT_EQ(line_of(runs.train("run", training, options)),
            "instruction set scalar, 3 threads" + revision);
  const std::string model = runs.folder / "run";
  EXPECT_EQ(
      line_of(test::run_program(
          {"eval", model, "--data-dir", runs.data_dir, "--threads", "1", "--verbose"}, options)),
      "instruction set scalar, 1 thread" + revision);
  const std::string predict = line_of(test::run_program(
      {"predict", model, runs.mnist + "/t10k-images-idx3-ubyte", "--index", "0", "--verbose"},
      options));
  EXPECT_TRUE(predict.starts_with("instruction set scalar, ")) << predict;
  EXPECT_TRUE(predict.ends_with(revision)) << predict;
}

TEST(Verbose, OnlyWhenAsked) {
  const test::SmallRun runs;
  EXPECT_EQ(line_of(runs.train("run", {"--steps", "1", "--hidden", "8"})), "");
}

}  // namespace
}  // namespace unroll::app
