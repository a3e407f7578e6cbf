#include "bench/workload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace unroll::bench {
namespace {

const Workload& named(const std::string& name) {
  const auto found = std::ranges::find(workloads(), name, &name_of);
  if (found == workloads().end()) throw std::out_of_range(name);
  return *found;
}

double flops_of(const std::string& name) { return useful_flops(named(name)); }

TEST(BenchWorkload, UsefulFlopsByHand) {
  // 2 N T (2 I H + 3 H H): input forward and for its weight's gradient, state forward and for both
  // gradients.
  EXPECT_EQ(flops_of("train/rnn_relu/t28_i28_h100_n100"), 199'360'000);
  EXPECT_EQ(flops_of("train/rnn_tanh/t28_i28_h100_n100"), 199'360'000);
  EXPECT_EQ(flops_of("train/rnn_relu_muon/t28_i28_h100_n100"), 199'360'000);
  // The second layer's input is the first's state, whose gradient is wanted: 6 H H
  EXPECT_EQ(flops_of("train/rnn_relu_2layers/t28_i28_h100_n100"), 535'360'000);
  EXPECT_EQ(flops_of("train/rnn_relu/t64_i256_h256_n64"), 2'684'354'560);
  EXPECT_EQ(flops_of("train/rnn_relu/t784_i1_h100_n100"), 4'735'360'000);
  EXPECT_EQ(flops_of("eval/rnn_relu/t28_i28_h100"), 10'000.0 * 2 * 28 * (2'800 + 10'000));
  EXPECT_EQ(flops_of("step/rnn_relu/i28_h100"), 2 * (2'800 + 10'000));
}

TEST(BenchWorkload, BytesOfTheWeights) {
  EXPECT_EQ(weight_bytes(named("step/rnn_relu/i28_h100")), 4 * (2'800 + 10'000 + 100));
  EXPECT_EQ(weight_bytes(named("step/rnn_relu/i28_h256")), 4 * (7'168 + 65'536 + 256));
}

TEST(BenchWorkload, PaddingCeiling) {
  EXPECT_EQ(padding_ceiling(96, 16), 1);
  EXPECT_EQ(padding_ceiling(100, 16), 100.0 / 104);
  EXPECT_EQ(padding_ceiling(107, 16), 107.0 / 112);
  EXPECT_EQ(padding_ceiling(37, 8), 37.0 / 40);
  EXPECT_EQ(padding_ceiling(36, 8), 1);
  EXPECT_EQ(padding_ceiling(37, 1), 1);
}

TEST(BenchWorkload, NamesAreDifferent) {
  std::vector<std::string> names;
  for (const Workload& w : workloads()) names.push_back(name_of(w));
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

}  // namespace
}  // namespace unroll::bench
