#include "run/samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "run/choose_samples.h"
#include "support/expect_error.h"
#include "support/sources.h"
#include "support/tensor_source.h"
#include "unroll/core/error.h"

namespace unroll::run {
namespace {

using test::error_of;

train::Config noise_config() {
  train::Config c = train::recipe("tutorial");
  c.hidden = 8;
  c.steps = 3;
  c.batch_size = 10;
  c.eval_every = 0;
  return c;
}

Samples samples_of(const train::Config& config, const test::Source& source) {
  train::Trainer trainer(config, source);
  trainer.run({});
  return choose_samples(trainer);
}

TEST(Samples, PixelsAreThoseOfTheDataSet) {
  for (const bool permuted : {false, true}) {
    train::Config config = noise_config();
    config.normalization = data::Normalization{0.3, 0.7};
    if (permuted) {
      config.input = spec::Form::pixels;
      config.permute = 5;
    }
    const data::Dataset set = test::noise(40);
    const Samples s = samples_of(config, test::images(config, set));
    ASSERT_TRUE(s.pixels);
    ASSERT_EQ(s.inputs.shape(), (Shape{std::ssize(s.indices), 9, 7}));
    for (std::size_t i = 0; i < s.indices.size(); ++i)
      for (std::size_t p = 0; p < 63; ++p)
        ASSERT_EQ(s.inputs.values<float>()[i * 63 + p],
                  set.images[static_cast<std::size_t>(s.indices[i]) * 63 + p])
            << permuted << " sample " << i << " pixel " << p;
  }
}

// Numbers of another unit than others weigh as much as these.
TEST(Samples, LossesAreThoseOfTheRun) {
  train::Config config;
  config.dataset = "numbers.csv";
  config.model = train::ModelKind::gru;
  config.hidden = 3;
  config.steps = 2;
  config.batch_size = 2;
  config.loss = train::ValueLoss::mae;
  const test::TensorPart part{
      .inputs = Tensor::from(std::vector<double>{1, 2, 3, 4, 5, 6}, {3, 2, 1}),
      .targets = Tensor::from(std::vector<double>{1, 100, 2, 200, 3, 300}, {3, 2})};
  const auto source = std::make_shared<test::TensorSource>(
      spec::SeriesInput{.features = 1, .steps = 2},
      data::TargetSpec{
          .kind = data::TargetSpec::Kind::values, .size = 2, .mean = {2, 200}, .std = {0.5, 50}},
      std::map<data::Split, test::TensorPart>{{data::Split::train, part},
                                              {data::Split::test, part}});
  const Samples s = samples_of(config, source);
  ASSERT_EQ(s.indices.size(), 3u);
  const auto outputs = s.outputs.values<float>(), targets = s.targets.values<float>();
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(s.losses[i],
                std::abs(outputs[2 * i] - targets[2 * i]) / 0.5 +
                    std::abs(outputs[2 * i + 1] - targets[2 * i + 1]) / 50,
                1e-4);
}

TEST(Samples, WorstMistakesHaveTheLargestLosses) {
  const train::Config config = noise_config();
  const data::Dataset set = test::noise(200);
  train::Trainer trainer(config, test::images(config, set));
  trainer.run({});
  const Samples s = choose_samples(trainer);
  ASSERT_EQ(s.worst.size(), 24u);
  const auto outputs = s.outputs.values<float>();
  const auto labels = s.targets.values<std::int64_t>();
  double before = 1e9;
  for (const std::int64_t position : s.worst) {
    const auto i = static_cast<std::size_t>(position);
    const auto row = outputs.subspan(i * 10, 10);
    EXPECT_NE(std::ranges::max_element(row) - row.begin(), labels[i]);
    double sum = 0;
    for (const float v : row) sum += std::exp(static_cast<double>(v));
    const double loss =
        std::log(sum) - static_cast<double>(row[static_cast<std::size_t>(labels[i])]);
    EXPECT_NEAR(s.losses[i], loss, 1e-5);
    EXPECT_LE(loss, before + 1e-6);
    before = loss;
  }
  // Every cell of the confusion matrix that is not empty has a sample.
  std::set<std::pair<std::int64_t, std::int64_t>> cells;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = outputs.subspan(i * 10, 10);
    cells.insert({labels[i], std::ranges::max_element(row) - row.begin()});
  }
  for (std::int64_t truth = 0; truth < 10; ++truth)
    for (std::int64_t guess = 0; guess < 10; ++guess)
      EXPECT_EQ(s.confusion->at(truth, guess) > 0, cells.contains({truth, guess}));
}

TEST(Samples, BytesAreReadBack) {
  const train::Config config = noise_config();
  const Samples s = samples_of(config, test::images(config, test::noise(30)));
  const Samples again = samples_from(to_bytes(s), "samples.safetensors");
  EXPECT_EQ(again.indices, s.indices);
  EXPECT_EQ(again.worst, s.worst);
  EXPECT_EQ(again.confusion->counts, s.confusion->counts);
  EXPECT_TRUE(again.pixels);
  EXPECT_TRUE(std::ranges::equal(again.inputs.values<float>(), s.inputs.values<float>()));
  EXPECT_TRUE(std::ranges::equal(again.outputs.values<float>(), s.outputs.values<float>()));
  ASSERT_EQ(again.states.size(), 1u);
  EXPECT_EQ(again.states.at("rnn").shape(), (Shape{4, 9, 8}));
  EXPECT_EQ(to_bytes(again), to_bytes(s));
}

TEST(Samples, TasksOfMemoryHaveSamples) {
  for (const char* task : {"adding", "copy"}) {
    train::Config config = train::recipe("tuned", {.dataset = task});
    config.dataset = task;
    config.length = 20;
    config.hidden = 8;
    config.steps = 2;
    config.eval_every = 0;
    const Samples s = samples_of(config, test::source(config));
    EXPECT_FALSE(s.pixels);
    EXPECT_GT(s.indices.size(), 16u) << task;
    EXPECT_EQ(s.inputs.size(0), std::ssize(s.indices)) << task;
    EXPECT_EQ(s.worst.size(), 24u) << task;
    EXPECT_EQ(to_bytes(samples_from(to_bytes(s), "x")), to_bytes(s)) << task;
  }
}

TEST(Samples, DamageIsNamed) {
  const train::Config config = noise_config();
  Samples s = samples_of(config, test::images(config, test::noise(30)));
  s.worst = {99};
  EXPECT_EQ(error_of<FormatError>([&] { samples_from(to_bytes(s), "a/samples.safetensors"); }),
            "[samples] a/samples.safetensors: \"worst\" names sample 99 of " +
                std::to_string(s.indices.size()) + "; train the run again");
  s.worst.clear();
  s.indices.pop_back();
  EXPECT_NE(error_of<FormatError>([&] { samples_from(to_bytes(s), "x"); }), "");
}

}  // namespace
}  // namespace unroll::run
