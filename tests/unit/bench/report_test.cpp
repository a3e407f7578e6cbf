#include "bench/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace unroll::bench {
namespace {

using train::ModelKind;

constexpr std::size_t kL1 = 32 << 10;

Report report_of(const Workload& workload, const Timing& timing) {
  return {.cpu = "a CPU",
          .isa = "avx2",
          .peak_gflops_core = 100,
          .peak_gflops_all = 100,
          .l2_gb_per_s = 50,
          .lanes = 8,
          .l1_bytes = kL1,
          .workloads = {{workload, 1, timing}}};
}

nlohmann::json entry_of(const Report& report) {
  return nlohmann::json::parse(to_json(report, "1.2.3")).at("workloads").at(0);
}

Workload stream_of(std::int64_t input, std::int64_t hidden) {
  return {.kind = Kind::step,
          .model = ModelKind::lstm,
          .steps = 1,
          .input = input,
          .hidden = hidden,
          .batch = 1};
}

TEST(BenchReport, AStepThatWaitsForL2) {
  // 206,400 bytes in 5 us are 41.28 GB/s; 102,400 operations are 20.48 GFLOP/s.
  const Report report =
      report_of(stream_of(28, 100), {.runs = 7, .best = 5e-6, .median = 6e-6, .p999 = 1e-5});
  const auto entry = entry_of(report);
  EXPECT_EQ(entry.at("share_of_l2"), 0.8256);
  EXPECT_EQ(entry.at("share_of_peak"), 0.2048);
  EXPECT_EQ(entry.at("p999_ms"), 0.01);
  EXPECT_EQ(entry.at("share_of_sample_48khz"), 0.48);
  const std::string text = to_text(report);
  for (const std::string part : {"5.000 us", "6.000 us", "10.000 us", "82.6 %", "48.0 %"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

TEST(BenchReport, AStepWhoseWeightsAreInL1HasNoShareOfL2) {
  const Report report =
      report_of(stream_of(1, 16), {.runs = 7, .best = 1e-7, .median = 1e-7, .p999 = 2e-7});
  EXPECT_FALSE(entry_of(report).contains("share_of_l2"));
  EXPECT_NE(to_text(report).find("100.0 ns"), std::string::npos);
}

TEST(BenchReport, ATrainingStepHasNoPercentile) {
  const Report report = report_of({.model = ModelKind::cnn, .layers = 2, .hidden = 16},
                                  {.runs = 7, .best = 1e-2, .median = 2e-2});
  const auto entry = entry_of(report);
  EXPECT_FALSE(entry.contains("p999_ms"));
  EXPECT_EQ(entry.at("ceiling"), 1.0);  // 784 pixels
  EXPECT_EQ(to_text(report).find("48 kHz"), std::string::npos);
}

}  // namespace
}  // namespace unroll::bench
