// Truncated back-propagation through time, compared with the same computation made from layers.
#include <gtest/gtest.h>

#include "support/sources.h"
#include "support/tensors.h"
#include "train/trainer.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/data/sequence_tasks.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/loss.h"
#include "unroll/nn/lstm.h"
#include "unroll/optim/sgd.h"

namespace unroll::train {
namespace {

constexpr std::int64_t kLength = 13, kChunkedBatch = 8, kUnits = 6;

/// Plain gradient descent, so that an update shows the gradient.
Config chunked_config(std::string_view task, ModelKind model, std::int64_t tbptt,
                      std::int64_t steps = 1) {
  Config c = recipe("tuned", {.dataset = task, .model = model});
  c.length = kLength;
  c.hidden = kUnits;
  c.batch_size = kChunkedBatch;
  c.steps = steps;
  c.eval_every = 0;
  c.optimizer = Algorithm::sgd;
  c.schedule = ScheduleKind::constant;
  c.clip_norm = 0;
  c.forget_bias = 0;
  c.lr = 0.5;
  c.seed = 5;
  c.tbptt = tbptt;
  return c;
}

std::vector<std::vector<std::uint64_t>> bits_after_training(const Config& config,
                                                            std::vector<double>* losses = nullptr) {
  Trainer trainer(config, test::source(config));
  Callbacks callbacks;
  if (losses)
    callbacks.on_step = [losses](const StepResult& result) { losses->push_back(result.loss); };
  trainer.run({&callbacks});
  std::vector<std::vector<std::uint64_t>> bits;
  for (const auto& p : trainer.parameters()) bits.push_back(test::bits_of(p.value));
  return bits;
}

TEST(Tbptt, ChunksThatHoldWholeSequencesChangeNothing) {
  for (const char* task : {"adding", "copy"})
    for (const ModelKind model : {ModelKind::rnn, ModelKind::lstm, ModelKind::gru})
      for (const std::int64_t chunk : {kLength + 20, std::int64_t{1} << 40})
        EXPECT_EQ(bits_after_training(chunked_config(task, model, chunk, 3)),
                  bits_after_training(chunked_config(task, model, 0, 3)));
}

TEST(Tbptt, ShorterChunksTrainOtherwise) {
  for (const char* task : {"adding", "copy"})
    for (const ModelKind model : {ModelKind::rnn, ModelKind::lstm, ModelKind::gru})
      EXPECT_NE(bits_after_training(chunked_config(task, model, 5)),
                bits_after_training(chunked_config(task, model, 0)));
}

/// The trainer's lstm and its readout, with its initial values.
struct ByHand : nn::Module {
  nn::Lstm lstm;
  nn::Linear fc;
  optim::Sgd sgd;

  ByHand(Generator& generator, std::int64_t inputs, std::int64_t outputs)
      : lstm(child("lstm"), inputs, kUnits, {.batch_first = true, .generator = &generator}),
        fc(child("fc"), kUnits, outputs, {.generator = &generator}),
        sgd(parameters(), {.lr = 0.5}) {}

  std::vector<std::vector<std::uint64_t>> bits() {
    std::vector<std::vector<std::uint64_t>> result;
    for (const auto& p : parameters()) result.push_back(test::bits_of(p.value));
    return result;
  }
};

/// Steps first to last - 1 of (N, T, I).
Tensor part(const Tensor& x, std::int64_t first, std::int64_t last) {
  std::vector<float> numbers;
  const auto all = x.values<float>();
  const std::int64_t steps = x.size(1), width = x.size(2);
  for (std::int64_t n = 0; n < x.size(0); ++n)
    for (std::int64_t i = first * width; i < last * width; ++i)
      numbers.push_back(all[static_cast<std::size_t>(n * steps * width + i)]);
  return Tensor::from(numbers, {x.size(0), last - first, width});
}

TEST(Tbptt, OfALastReadoutIsTheGradientOfTheLastChunk) {
  Generator generator(5);
  ByHand model(generator, 2, 1);
  const auto [inputs, targets] = data::adding({.length = kLength, .seed = 5}, 0, kChunkedBatch);
  nn::State state;
  {
    const NoGrad no_grad;
    const auto before = model.lstm(part(inputs, 0, kLength - 5));
    state = {before.h_n, before.c_n};
  }
  const auto result = model.lstm(part(inputs, kLength - 5, kLength), state);
  const Tensor loss = nn::mse_loss(model.fc(result.output.select(1, -1)), targets);
  loss.backward();
  model.sgd.step();
  std::vector<double> losses;
  EXPECT_EQ(bits_after_training(chunked_config("adding", ModelKind::lstm, 5), &losses),
            model.bits());
  EXPECT_EQ(losses, std::vector<double>{loss.item()});
}

// The ten answers of copy lie in the last three chunks of four steps: an update after each.
TEST(Tbptt, OfEveryStepIsAnUpdateForEachChunkWithTargets) {
  Generator generator(5);
  ByHand model(generator, 10, 8);
  const auto [inputs, targets] = data::copying({.length = kLength, .seed = 5}, 0, kChunkedBatch);
  const std::int64_t steps = kLength + 20;
  nn::State state;
  {
    const NoGrad no_grad;
    const auto before = model.lstm(part(inputs, 0, steps - 12));
    state = {before.h_n, before.c_n};
  }
  double mean = 0;
  for (const std::int64_t first : {steps - 12, steps - 8, steps - 4}) {
    model.sgd.zero_grad();
    const auto result = model.lstm(part(inputs, first, first + 4), state);
    state = nn::State{result.h_n, result.c_n}.detach();
    // The steps with a target: 2, 4 and 4 in each sequence.
    std::vector<std::int64_t> wanted;
    for (std::int64_t n = 0; n < kChunkedBatch; ++n)
      for (std::int64_t t = first; t < first + 4; ++t)
        wanted.push_back(targets.values<std::int64_t>()[static_cast<std::size_t>(n * steps + t)]);
    const Tensor loss = nn::cross_entropy(model.fc(result.output).view({-1, 8}),
                                          Tensor::from(wanted, {4 * kChunkedBatch}));
    loss.backward();
    model.sgd.step();
    mean += loss.item() * (first == steps - 12 ? 0.2 : 0.4);
  }
  std::vector<double> losses;
  EXPECT_EQ(bits_after_training(chunked_config("copy", ModelKind::lstm, 4), &losses), model.bits());
  ASSERT_EQ(losses.size(), 1u);
  EXPECT_NEAR(losses[0], mean, 1e-12);
}

// The state is carried from chunk to chunk, but no gradient: the inputs before a chunk matter.
TEST(Tbptt, TheStateIsCarriedOverChunks) {
  Config c = chunked_config("adding", ModelKind::gru, 5);
  std::vector<double> whole, chunks;
  bits_after_training(chunked_config("adding", ModelKind::gru, 0), &whole);
  bits_after_training(c, &chunks);
  EXPECT_EQ(whole, chunks);  // of the first step, before any update
}

TEST(Tbptt, OfImages) {
  data::Dataset set;
  set.name = "made up";
  set.count = 20;
  set.rows = set.columns = 6;
  set.classes = 2;
  Generator generator(2);
  for (int pixel = 0; pixel < 20 * 36; ++pixel)
    set.images.push_back(static_cast<std::uint8_t>(generator.next_u32()));
  for (int i = 0; i < 20; ++i) set.labels.push_back(i % 2);
  for (const spec::Form form : {spec::Form::rows, spec::Form::pixels})
    for (const ModelKind model : {ModelKind::rnn, ModelKind::lstm, ModelKind::gru}) {
      std::vector<std::vector<std::uint64_t>> bits[3];
      std::vector<double> losses;
      for (const std::int64_t tbptt : {0, 36, 4}) {
        Config c = recipe("tutorial", model);
        c.hidden = 5;
        c.layers = 2;
        c.batch_size = 10;
        c.steps = 2;
        c.input = form;
        c.permute = 3;
        c.tbptt = tbptt;
        Trainer trainer(c, test::images(c, set));
        std::vector<double> first;
        Callbacks callbacks;
        callbacks.on_step = [&](const StepResult& r) { first.push_back(r.loss); };
        trainer.run({&callbacks});
        losses.push_back(first[0]);
        for (const auto& p : trainer.parameters())
          bits[tbptt == 0 ? 0 : tbptt == 36 ? 1 : 2].push_back(test::bits_of(p.value));
      }
      EXPECT_EQ(bits[0], bits[1]);
      EXPECT_NE(bits[0], bits[2]);
      EXPECT_EQ(losses[0], losses[2]);
    }
}

}  // namespace
}  // namespace unroll::train
