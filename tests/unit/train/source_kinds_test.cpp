// Training on every kind of target, and on sequences of different lengths.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "data/sequence_source.h"
#include "nn/model_file.h"
#include "support/expect_error.h"
#include "support/tensors.h"
#include "support/token_source.h"
#include "train/trainer.h"

namespace unroll::train {
namespace {

/// Random numbers in sequences of 1 to 9 steps; the label is whether the last one is positive.
data::Sequences last_signs(std::int64_t count, std::uint64_t seed) {
  data::Sequences s;
  Generator generator(seed);
  for (std::int64_t k = 0; k < count; ++k) {
    s.lengths.push_back(1 + generator.next_u32() % 9);
    std::vector<float> values(static_cast<std::size_t>(s.lengths.back()));
    generator.uniform(values, -1, 1);
    s.values.insert(s.values.end(), values.begin(), values.end());
    s.labels.push_back(values.back() > 0);
  }
  return s;
}

std::shared_ptr<const data::Source> ragged() {
  return data::sequence_source("signs", last_signs(200, 1), last_signs(300, 2), 2);
}

Config kinds_config(ModelKind model = ModelKind::gru) {
  Config c;
  c.model = model;
  c.hidden = 8;
  c.batch_size = 10;
  c.steps = 200;
  c.optimizer = Algorithm::adam;
  c.lr = 0.02;
  c.eval_every = 0;
  c.threads = 1;
  return c;
}

/// The losses of the steps.
std::vector<double> losses_of_run(Trainer& trainer) {
  std::vector<double> losses;
  Callbacks listener;
  listener.on_step = [&](const StepResult& step) { losses.push_back(step.loss); };
  trainer.run({&listener});
  return losses;
}

/// -log softmax(row)[label]
double cross_entropy(std::span<const double> row, std::int64_t label) {
  double sum = 0;
  for (const double logit : row) sum += std::exp(logit);
  return std::log(sum) - row[static_cast<std::size_t>(label)];
}

// The state after a sequence's own last step is read out, not the one after the padding. The first
// loss is the mean of the losses of the single sequences.
TEST(RaggedTraining, ABatchIsItsSequencesEachByItself) {
  for (const bool bidirectional : {false, true})
    for (const spec::Readout readout : {spec::Readout::last, spec::Readout::mean}) {
      Config c = kinds_config(ModelKind::lstm);
      c.dtype = DType::f64;
      c.bidirectional = bidirectional;
      c.readout = readout;
      c.batch_size = 200;
      c.steps = 1;
      const data::Sequences set = last_signs(200, 1);
      Trainer trainer(c, ragged());
      const infer::Model<double> model(trainer.description(), nn::views_of(trainer.parameters()));
      double mean = 0;
      std::size_t start = 0;
      for (std::size_t k = 0; k < set.lengths.size(); ++k) {
        const auto steps = static_cast<std::size_t>(set.lengths[k]);
        const std::vector<double> values(
            set.values.begin() + static_cast<std::ptrdiff_t>(start),
            set.values.begin() + static_cast<std::ptrdiff_t>(start + steps));
        std::vector<double> logits(2);
        model.run(values, 1, steps, logits);
        mean += cross_entropy(logits, set.labels[k]) / 200;
        start += steps;
      }
      EXPECT_NEAR(losses_of_run(trainer).at(0), mean, 1e-12);
    }
}

TEST(RaggedTraining, LearnsWhatTheLastStepTells) {
  for (const ModelKind kind : {ModelKind::rnn, ModelKind::lstm, ModelKind::gru}) {
    Trainer trainer(kinds_config(kind), ragged());
    EXPECT_EQ(trainer.steps(), 200);
    losses_of_run(trainer);
    const Evaluation& e = trainer.last_evaluation();
    EXPECT_EQ(e.accuracy().total, 300);
    EXPECT_GT(e.accuracy().value, 93);
    EXPECT_EQ(e.loss_name, "cross-entropy");
  }
}

// Buckets, the order and the place in it are part of a checkpoint.
TEST(RaggedTraining, AResumedRunHasTheBitsOfAnUninterruptedOne) {
  Config c = kinds_config();
  c.steps = 45;  // 20 batches a pass
  Trainer whole(c, ragged());
  losses_of_run(whole);
  for (const std::int64_t stop : {7, 20, 31}) {
    Trainer first(c, ragged());
    Callbacks listener;
    listener.stops = [&] { return first.last_step().step == stop; };
    first.run({&listener});
    const auto file = to_bytes(first.checkpoint());
    Trainer second(c, ragged());
    second.resume(checkpoint_from(file, "file"));
    losses_of_run(second);
    for (std::size_t i = 0; i < whole.parameters().size(); ++i)
      EXPECT_EQ(test::bits_of(second.parameters()[i].value),
                test::bits_of(whole.parameters()[i].value));
  }
}

TEST(RaggedTraining, InChunksIsRefused) {
  Config c = kinds_config();
  c.tbptt = 3;
  EXPECT_EQ(test::error_of<ValueError>([&] { Trainer(c, ragged()); }),
            "[tbptt] the sequences of signs have different lengths, expected equal ones; leave it "
            "out");
}

/// Texts of 5 to 14 tokens.
std::shared_ptr<test::TokenSource> texts(
    std::int64_t tokens, std::int64_t count,
    const std::function<std::int64_t(std::int64_t last, std::uint32_t random)>& next) {
  std::vector<std::vector<std::int64_t>> all;
  Generator generator(3);
  for (std::int64_t k = 0; k < count; ++k) {
    std::vector<std::int64_t> text = {generator.next_u32() % tokens};
    for (std::uint32_t left = 4 + generator.next_u32() % 10; left > 0; --left)
      text.push_back(next(text.back(), generator.next_u32()));
    all.push_back(std::move(text));
  }
  return std::make_shared<test::TokenSource>(tokens, std::move(all));
}

const Metric& perplexity_of(const Evaluation& e) { return e.metrics.at(1); }

// A text in which each token follows from the one before has a perplexity of 1.
TEST(TokenTraining, LearnsARuleToCertainty) {
  const auto source =
      texts(7, 60, [](std::int64_t last, std::uint32_t) { return (3 * last + 1) % 7; });
  Trainer trainer(kinds_config(), source);
  const std::vector<double> losses = losses_of_run(trainer);
  EXPECT_NEAR(losses.front(), std::log(7), 0.4);
  const Evaluation& e = trainer.last_evaluation();
  EXPECT_EQ(e.accuracy().value, 100);
  EXPECT_EQ(perplexity_of(e).name, "perplexity");
  EXPECT_FALSE(perplexity_of(e).larger_is_better);
  EXPECT_NEAR(perplexity_of(e).value, 1, 0.1);
  EXPECT_NEAR(perplexity_of(e).value, std::exp(e.loss), 1e-12);
  EXPECT_FALSE(e.confusion);
}

// Each token is one of two, equally likely: no model can have a perplexity below 2, except by
// learning the texts by heart.
TEST(TokenTraining, LearnsChancesAndNoMore) {
  const auto source = texts(
      7, 400, [](std::int64_t last, std::uint32_t random) { return (last + 1 + random % 2) % 7; });
  Config c = kinds_config();
  c.steps = 400;
  c.lr = 0.01;
  Trainer trainer(c, source);
  losses_of_run(trainer);
  EXPECT_NEAR(perplexity_of(trainer.last_evaluation()).value, 2, 0.15);
}

// The weights would need 4 TB: the model is refused before any of them is made.
TEST(Trainer, RefusesADescriptionOfOnesOwnThatCouldNotBeHeld) {
  constexpr std::int64_t kMany = 1 << 20;
  spec::ModelSpec spec;
  spec.input = spec::SeriesInput{.features = 1};
  spec.layers = {spec::RecurrentSpec{.name = "rnn", .input_size = 1, .hidden_size = 6},
                 spec::LinearSpec{"a", 6, kMany}, spec::LinearSpec{"b", kMany, kMany},
                 spec::LinearSpec{"c", kMany, 2}};
  const std::string text =
      test::error_of<ValueError>([&] { Trainer(kinds_config(), ragged(), spec); });
  EXPECT_NE(text.find("weights, expected at most 268435456"), std::string::npos) << text;
}

// The caller gives a description: the model in the settings is ignored.
TEST(Trainer, TrainsADescriptionOfOnesOwn) {
  spec::ModelSpec spec;
  spec.input = spec::SeriesInput{.features = 1};
  spec.layers = {spec::RecurrentSpec{.name = "a",
                                     .cell = spec::Cell::gru,
                                     .input_size = 1,
                                     .hidden_size = 6,
                                     .readout = spec::Readout::every_step},
                 spec::RecurrentSpec{.name = "b",
                                     .cell = spec::Cell::lstm,
                                     .input_size = 6,
                                     .hidden_size = 5,
                                     .readout = spec::Readout::mean_last},
                 spec::LinearSpec{"out", 10, 2}};
  Trainer trainer(kinds_config(), ragged(), spec);
  EXPECT_EQ(trainer.description().layers, spec.layers);
  losses_of_run(trainer);
  EXPECT_GT(trainer.last_evaluation().accuracy().value, 90);
  // Initial values depend on each layer's own sizes.
  Config c = kinds_config();
  c.init = InitialValues::orthogonal;
  Trainer orthogonal(c, ragged(), spec);
  for (const Parameter& p : orthogonal.parameters()) {
    if (p.name.find("weight_hh") == std::string::npos) continue;
    const std::int64_t hidden = p.value.size(1);
    const std::vector<double> w = p.value.to_vector();
    for (std::int64_t gate = 0; gate < p.value.size(0) / hidden; ++gate) {
      double norm = 0;  // of a gate's first row
      for (std::int64_t k = 0; k < hidden; ++k)
        norm += std::pow(w[static_cast<std::size_t>(gate * hidden * hidden + k)], 2);
      EXPECT_NEAR(norm, 1, 1e-6) << p.name;
    }
  }
  spec.layers.back() = spec::LinearSpec{"out", 10, 3};
  EXPECT_EQ(test::error_of<ShapeError>([&] { Trainer(kinds_config(), ragged(), spec); }),
            "[train] the model has 3 outputs, signs has 2 classes");
}

}  // namespace
}  // namespace unroll::train
