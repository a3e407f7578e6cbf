// The contract of numerics, seen from outside: the same seed and configuration give the same files.
#include <gtest/gtest.h>

#include "kernels/bf16.h"
#include "support/small_run.h"

namespace unroll {
namespace {

using test::SmallRun;
using Arguments = std::vector<std::string>;

struct Setting {
  const char* name;
  Arguments arguments;
};

// The chapter's way, and everything that the tuned recipe adds, in both types.
const Setting settings[] = {
    {"SgdF32", {"--recipe", "tutorial"}},
    {"SgdF64", {"--recipe", "tutorial", "--dtype", "f64"}},
    {"MuonF32", {"--recipe", "tuned"}},
    {"MuonF64", {"--recipe", "tuned", "--dtype", "f64"}},
    {"TwoTanhLayersOddSizes",
     {"--recipe", "tuned", "--layers", "2", "--activation", "tanh", "--hidden", "37",
      "--batch-size", "53", "--init", "orthogonal", "--optimizer", "adamw", "--schedule",
      "cosine"}},
    {"Bf16", {"--recipe", "tuned", "--precision", "bf16"}},
};

class SameFiles : public testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    if (std::string(GetParam().name) == "Bf16" && !kernels::bf16_available())
      GTEST_SKIP() << "no AVX512_BF16 here";
  }
  void run(const std::string& out, Arguments more, const std::string& isa = "") {
    const Arguments& base = GetParam().arguments;
    more.insert(more.begin(), base.begin(), base.end());
    more.insert(more.end(), {"--seed", "3", "--eval-every", "4"});
    test::ProgramOptions options;
    if (!isa.empty()) options.environment["UNROLL_ISA"] = isa;
    result_ = runs_.train(out, more, options);
  }
  void expect_same_files(const std::string& one, const std::string& other) {
    EXPECT_EQ(runs_.model(one), runs_.model(other)) << one << " and " << other;
    EXPECT_EQ(runs_.metrics(one), runs_.metrics(other)) << one << " and " << other;
  }

  SmallRun runs_;
  test::ProgramResult result_;
};

TEST_P(SameFiles, Fault38_WithAnyNumberOfThreads) {
  run("1", {"--threads", "1", "--steps", "30"});
  ASSERT_EQ(result_.code, 0) << result_.err;
  for (const char* threads : {"1", "2", "3", "8"}) {
    const std::string out = std::string("again") + threads;
    run(out, {"--threads", threads, "--steps", "30"});
    ASSERT_EQ(result_.code, 0) << result_.err;
    expect_same_files("1", out);
  }
}

TEST_P(SameFiles, Fault38_WithAnyInstructionSet) {
  run("default", {"--steps", "6"});
  ASSERT_EQ(result_.code, 0) << result_.err;
  int compared = 0;
  for (const char* isa : {"avx512", "avx2", "neon", "scalar"}) {
    run(isa, {"--steps", "6"}, isa);
    if (result_.code != 0) {
      // A processor that lacks it: the program says so and has done nothing.
      EXPECT_NE(result_.err.find(isa), std::string::npos) << result_.err;
      continue;
    }
    expect_same_files("default", isa);
    ++compared;
  }
  EXPECT_GE(compared, 1) << "scalar is everywhere";
}

std::string name_of(const testing::TestParamInfo<Setting>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Train, SameFiles, testing::ValuesIn(settings), name_of);

TEST(Fault38, NotWithAnotherSeed) {
  const SmallRun runs;
  runs.train("three", {"--steps", "1", "--seed", "3"});
  runs.train("four", {"--steps", "1", "--seed", "4"});
  EXPECT_NE(runs.model("three"), runs.model("four"));
}

}  // namespace
}  // namespace unroll
