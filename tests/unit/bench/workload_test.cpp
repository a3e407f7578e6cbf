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

TEST(BenchWorkload, UsefulFlopsOfGatedLayers) {
  // An rnn's operations times the number of gates. Regularisers do not count.
  EXPECT_EQ(flops_of("train/lstm/t28_i28_h100_n100"), 4 * 199'360'000);
  EXPECT_EQ(flops_of("train/gru/t28_i28_h100_n100"), 3 * 199'360'000);
  EXPECT_EQ(flops_of("train/lstm_layernorm/t28_i28_h100_n100"), 4 * 199'360'000);
  EXPECT_EQ(flops_of("train/gru_activation/t28_i28_h100_n100"), 3 * 199'360'000);
  EXPECT_EQ(flops_of("train/lstm_2layers_dropout/t28_i28_h100_n100"), 4 * 535'360'000);
  EXPECT_EQ(flops_of("step/lstm/i1_h16"), 2 * 4 * (16 + 256));
  EXPECT_EQ(flops_of("step/gru/i28_h100"), 3 * 2 * (2'800 + 10'000));
  // Two directions; the second layer's input is both states of the first.
  EXPECT_EQ(flops_of("train/lstm_2layers_bidirectional/t100_i128_h256_n64"),
            2.0 * 64 * 100 * 2 * 4 * 256 * (2 * 128 + 3 * 256 + 3 * 512 + 3 * 256));
}

TEST(BenchWorkload, UnequalLengths) {
  EXPECT_TRUE(lengths_of(named("train/lstm/t64_i128_h256_n64")).empty());
  auto mixed = lengths_of(named("train/lstm_mixed/t64_i128_h256_n64"));
  EXPECT_FALSE(std::ranges::is_sorted(mixed));
  std::ranges::sort(mixed);
  for (std::int64_t i = 0; i < 64; ++i) EXPECT_EQ(mixed.at(static_cast<std::size_t>(i)), i + 1);
  const auto one_long = lengths_of(named("train/lstm_onelong/t500_i128_h256_n64"));
  EXPECT_EQ(one_long.size(), 64u);
  EXPECT_EQ(std::ranges::count(one_long, 500), 1);
  EXPECT_EQ(std::ranges::count(one_long, 5), 63);
  // Only existing steps count: 1 + 2 + ... + 64, and 500 + 63 times 5.
  const double step = 2 * 4 * 256 * (2 * 128 + 3 * 256);
  EXPECT_EQ(flops_of("train/lstm_mixed/t64_i128_h256_n64"), 2080 * step);
  EXPECT_EQ(flops_of("train/lstm_onelong/t500_i128_h256_n64"), 815 * step);
}

TEST(BenchWorkload, UsefulFlopsOfConvolutions) {
  // 16 channels of 28 x 28 from 25 pixels each, 32 of 14 x 14 from 25 x 16.
  EXPECT_EQ(flops_of("train/cnn_2layers/28x28_c16_n100"),
            2 * 100 * (2.0 * 16 * 784 * 25 + 3.0 * 32 * 196 * 25 * 16));
}

TEST(BenchWorkload, BytesOfTheWeights) {
  EXPECT_EQ(weight_bytes(named("step/rnn_relu/i28_h100")), 4 * (2'800 + 10'000 + 100));
  EXPECT_EQ(weight_bytes(named("step/rnn_relu/i28_h256")), 4 * (7'168 + 65'536 + 256));
  EXPECT_EQ(weight_bytes(named("step/lstm/i28_h100")), 4 * (4 * 12'800 + 400));
  // r and z have one bias each, n has two.
  EXPECT_EQ(weight_bytes(named("step/gru/i1_h8")), 4 * (3 * (8 + 64) + 32));
}

TEST(BenchWorkload, PaddingCeiling) {
  EXPECT_EQ(padding_ceiling(96, 16), 1);
  EXPECT_EQ(padding_ceiling(100, 16), 100.0 / 104);
  EXPECT_EQ(padding_ceiling(107, 16), 107.0 / 112);
  EXPECT_EQ(padding_ceiling(37, 8), 37.0 / 40);
  EXPECT_EQ(padding_ceiling(36, 8), 1);
  EXPECT_EQ(padding_ceiling(37, 1), 1);
}

TEST(BenchWorkload, WhatIsMeasuredByDefaultTakesLessThanAMinute) {
  double runs = 0;
  for (const Workload& w : workloads())
    if (w.by_default) runs += (w.on_one ? 1 : 0) + (w.on_all ? 1 : 0);
  // 1.5 s each, and what surrounds them
  EXPECT_LT(runs * 2, 60);
}

TEST(BenchWorkload, NamesAreDifferent) {
  std::vector<std::string> names;
  for (const Workload& w : workloads()) names.push_back(name_of(w));
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

}  // namespace
}  // namespace unroll::bench
