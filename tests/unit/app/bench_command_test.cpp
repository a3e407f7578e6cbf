// unroll bench: what it prints. No test here looks at how fast anything was.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bench/workload.h"
#include "core/numerics.h"
#include "kernels/table.h"
#include "support/program.h"

namespace unroll::app {
namespace {

using OrderedJson = nlohmann::ordered_json;
using test::run_program;

std::vector<std::string> keys_of(const OrderedJson& object) {
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  return keys;
}

/// The one line of `unroll bench --json`, with a single run of each workload.
OrderedJson bench(std::vector<std::string> flags, const test::ProgramOptions& options = {}) {
  flags.insert(flags.begin(), {"bench", "--json", "--seconds", "0"});
  const auto result = run_program(flags, options);
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(test::lines_of(result.out).size(), 1u) << result.out;
  return OrderedJson::parse(result.out);
}

/// Printed to five digits.
void expect_about(const OrderedJson& value, double expected) {
  EXPECT_GT(value.get<double>(), 0);
  EXPECT_NEAR(value.get<double>() / expected, 1, 1e-3);
}

TEST(BenchCommand, JsonOfATrainingStep) {
  const OrderedJson json = bench({"--threads", "2", "--only", "train/rnn_relu/t28_i28_h100_n100"});
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"version", "revision", "cpu", "isa", "threads",
                                                     "peak_gflops_core", "peak_gflops_all",
                                                     "l2_gb_per_s", "workloads"}));
  EXPECT_EQ(json.at("revision"), numerics::revision);
  EXPECT_NE(json.at("cpu"), "");
  EXPECT_EQ(json.at("threads"), 2);
  EXPECT_GT(json.at("l2_gb_per_s"), 0.0);
  ASSERT_EQ(json.at("workloads").size(), 2u);
  for (int threads : {1, 2}) {
    const OrderedJson& w = json.at("workloads").at(static_cast<std::size_t>(threads - 1));
    EXPECT_EQ(keys_of(w),
              (std::vector<std::string>{"name", "threads", "best_ms", "median_ms", "runs", "mflop",
                                        "gflops", "share_of_peak", "ceiling"}));
    EXPECT_EQ(w.at("name"), "train/rnn_relu/t28_i28_h100_n100");
    EXPECT_EQ(w.at("threads"), threads);
    EXPECT_EQ(w.at("runs"), 1);
    EXPECT_EQ(w.at("best_ms"), w.at("median_ms"));
    EXPECT_EQ(w.at("mflop"), 199.36);
    const double gflops = 199.36 / w.at("best_ms").get<double>();
    expect_about(w.at("gflops"), gflops);
    const OrderedJson& peak = json.at(threads == 1 ? "peak_gflops_core" : "peak_gflops_all");
    expect_about(w.at("share_of_peak"), gflops / peak.get<double>());
    EXPECT_GT(w.at("ceiling"), 0.0);
    EXPECT_LE(w.at("ceiling"), 1.0);
  }
}

TEST(BenchCommand, JsonOfSingleSteps) {
  if (std::string(kernels::instruction_set()) == "neon") GTEST_SKIP() << "no other level here";
  const OrderedJson json = bench({"--threads", "1", "--only", "step/lstm/i28_h100"},
                                 {.environment = {{"UNROLL_ISA", "scalar"}}});
  EXPECT_EQ(json.at("isa"), "scalar");
  EXPECT_EQ(json.at("peak_gflops_core"), json.at("peak_gflops_all"));
  ASSERT_EQ(json.at("workloads").size(), 1u);
  const OrderedJson& w = json.at("workloads").at(0);
  EXPECT_EQ(keys_of(w),
            (std::vector<std::string>{"name", "threads", "best_ms", "median_ms", "runs", "mflop",
                                      "gflops", "share_of_peak", "ceiling", "p999_ms",
                                      "share_of_sample_48khz", "share_of_l2"}));
  EXPECT_EQ(w.at("name"), "step/lstm/i28_h100");
  EXPECT_EQ(w.at("ceiling"), 1.0);  // one lane
  // 206,400 bytes of weights
  expect_about(w.at("share_of_l2"),
               0.2064 / w.at("best_ms").get<double>() / json.at("l2_gb_per_s").get<double>());
  expect_about(w.at("share_of_sample_48khz"), 48 * w.at("p999_ms").get<double>());
}

TEST(BenchCommand, EveryKindOfModelRuns) {
  for (const std::string name :
       {"train/lstm/t28_i28_h100_n100", "train/gru/t28_i28_h100_n100",
        "train/lstm_variational/t28_i28_h100_n100", "train/lstm_recurrentdropout/t28_i28_h100_n100",
        "train/lstm_zoneout/t28_i28_h100_n100", "train/lstm_weightdrop/t28_i28_h100_n100",
        "train/lstm_layernorm/t28_i28_h100_n100", "train/gru_zoneout/t28_i28_h100_n100",
        "train/lstm_mixed/t64_i128_h256_n64", "train/lstm_onelong/t500_i128_h256_n64",
        "train/cnn_2layers/28x28_c16_n100", "step/gru/i1_h8"}) {
    SCOPED_TRACE(name);
    const OrderedJson json = bench({"--threads", "1", "--only", name});
    ASSERT_EQ(json.at("workloads").size(), 1u);
    EXPECT_EQ(json.at("workloads").at(0).at("name"), name);
    EXPECT_GT(json.at("workloads").at(0).at("best_ms"), 0.0);
  }
}

TEST(BenchCommand, TableOfAnEvaluation) {
  const auto result = run_program({"bench", "--seconds", "0", "--threads", "2", "--only", "eval/"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.err, "");
  for (const std::string part :
       {"CPU", "FMA peak", "L2", "of peak", "ceiling", "\neval/rnn_relu/t28_i28_h100 "})
    EXPECT_NE(result.out.find(part), std::string::npos) << part << " in\n" << result.out;
}

TEST(BenchCommand, TableOfSingleSteps) {
  const auto result =
      run_program({"bench", "--seconds", "0", "--threads", "1", "--only", "step/lstm/i1_h16"});
  EXPECT_EQ(result.code, 0);
  for (const std::string part : {"99.9 %", "48 kHz", "\nstep/lstm/i1_h16 "})
    EXPECT_NE(result.out.find(part), std::string::npos) << part << " in\n" << result.out;
  EXPECT_EQ(result.out.find("of peak"), std::string::npos) << result.out;
}

TEST(BenchCommand, ListsItsWorkloads) {
  const auto result = run_program({"bench", "--list"});
  EXPECT_EQ(result.code, 0);
  std::vector<std::string> names;
  for (const bench::Workload& w : bench::workloads()) names.push_back(bench::name_of(w));
  EXPECT_EQ(test::lines_of(result.out), names);
}

TEST(BenchCommand, RefusesWhatItCannotMeasure) {
  const auto refused = [](std::vector<std::string> flags, const std::vector<std::string>& parts) {
    flags.insert(flags.begin(), "bench");
    SCOPED_TRACE(testing::PrintToString(flags));
    const auto result = run_program(flags);
    EXPECT_EQ(result.code, 2);
    EXPECT_EQ(result.out, "");
    for (const std::string& part : parts)
      EXPECT_NE(result.err.find(part), std::string::npos) << part << " in\n" << result.err;
  };
  refused({"--only", "transformer"}, {"--only transformer", "--list"});
  refused({"--seconds", "-1"}, {"--seconds -1", "0 to 3600"});
  refused({"--seconds", "nan"}, {"--seconds nan"});
  refused({"--threads", "-1"}, {"threads", "-1"});
}

}  // namespace
}  // namespace unroll::app
