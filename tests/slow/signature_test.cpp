// unroll signature: the same number from every instruction set and any number of threads.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/numerics.h"
#include "signature/expected.h"
#include "support/program.h"

namespace unroll {
namespace {

struct Level {
  const char* isa;
  std::vector<int> threads;
};

void PrintTo(const Level& level, std::ostream* out) { *out << level.isa; }

// Plain C++ needs most of a minute: once, with a number of threads that divides nothing, is enough.
const Level levels[] = {{"avx512", {1, 2, 3, 4, 8}}, {"avx2", {1, 2, 3, 4, 8}}, {"scalar", {3}}};

class SignatureOf : public testing::TestWithParam<Level> {};

TEST_P(SignatureOf, IsTheExpectedOne) {
  const Level& level = GetParam();
  for (const int threads : level.threads) {
    const auto result =
        test::run_program({"signature", "--json", "--threads", std::to_string(threads)},
                          {.environment = {{"UNROLL_ISA", level.isa}}});
    if (result.err.find("is not available here") != std::string::npos) GTEST_SKIP() << result.err;
    EXPECT_EQ(result.code, 0) << result.err;
    const auto json = nlohmann::json::parse(result.out);
    EXPECT_EQ(test::lines_of(result.out).size(), 1u);
    EXPECT_EQ(json.at("isa"), level.isa);
    EXPECT_EQ(json.at("revision"), numerics::revision);
    EXPECT_EQ(json.at("hash").get<std::string>().size(), 16u);
    EXPECT_EQ(json.at("models").size(), std::size(signature::expected));
    for (const signature::Expected& e : signature::expected)
      EXPECT_EQ(json.at("models").at(std::string(e.model)), e.hash)
          << e.model << ", " << threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, SignatureOf, testing::ValuesIn(levels),
                         testing::PrintToStringParamName());

TEST(Signature, IsTheSameForAnyRowsAtOnce) {
  const std::string whole = test::run_program({"signature", "--json"}).out;
  for (const char* rows : {"16", "32", "50", "1"})
    for (const char* threads : {"1", "3"})
      EXPECT_EQ(
          test::run_program({"signature", "--json", "--rows-at-once", rows, "--threads", threads})
              .out,
          whole)
          << rows << " rows, " << threads << " threads";
  const auto refused = test::run_program({"signature", "--rows-at-once", "-1"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("--rows-at-once -1, expected 0 or more rows"), std::string::npos);
}

TEST(Signature, SaysThatAllIsWell) {
  const auto result = test::run_program({"signature"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const auto lines = test::lines_of(result.out);
  ASSERT_EQ(lines.size(), std::size(signature::expected) + 1);
  EXPECT_TRUE(lines.front().starts_with("rnn_relu ")) << lines.front();
  const std::string good = ", as expected for revision " + std::to_string(numerics::revision);
  EXPECT_TRUE(lines.back().ends_with(good)) << lines.back();
}

}  // namespace
}  // namespace unroll
