// A batch has the same bits for any number of rows at once, and of threads.
#include <gtest/gtest.h>

#include "data/sequence_source.h"
#include "support/sources.h"
#include "support/tensors.h"
#include "support/token_source.h"
#include "train/batch.h"
#include "train/trainer.h"

namespace unroll::train {
namespace {

constexpr std::int64_t kShardedBatch = 70;  // 4 shards, of 17 and 18 rows

/// The last batch of a pass has 25 images.
test::Source noise_source(const Config& config) {
  return test::images(config, test::noise(kShardedBatch + 25));
}

/// Sequences of 1 to 9 steps, in no order.
test::Source ragged_source(const Config&) {
  Generator generator(2);
  data::Sequences set;
  set.features = 3;
  for (std::int64_t k = 0; k < kShardedBatch + 25; ++k) {
    set.lengths.push_back(1 + generator.next_u32() % 9);
    set.labels.push_back(generator.next_u32() % 4);
    for (std::int64_t i = 0; i < set.lengths.back() * set.features; ++i)
      set.values.push_back(static_cast<float>(generator.next_u32() % 100) * 0.02F - 1);
  }
  return data::sequence_source("sequences", set, set, 4);
}

test::Source token_source(const Config&) {
  Generator generator(3);
  std::vector<std::vector<std::int64_t>> texts;
  for (std::int64_t k = 0; k < kShardedBatch + 25; ++k) {
    texts.emplace_back(2 + generator.next_u32() % 9);
    for (std::int64_t& token : texts.back()) token = generator.next_u32() % 6;
  }
  return std::make_shared<test::TokenSource>(6, texts);
}

struct RowsCase {
  const char* name;
  void (*change)(Config&);
  test::Source (*source)(const Config&) = noise_source;
};

void PrintTo(const RowsCase& c, std::ostream* out) { *out << c.name; }

void every_mask(Config& c) {
  c.layers = 2;
  c.dropout = 0.2;
  c.zoneout_h = 0.1;
  c.variational_dropout = 0.1;
  c.weight_drop = 0.2;
  c.ar = 0.5;
  c.tar = 0.3;
  c.learn_initial_state = true;
  if (c.model != ModelKind::rnn) c.recurrent_dropout = 0.1;
  if (c.model == ModelKind::lstm) c.zoneout_c = 0.1;
}

void task(Config& c, const char* name, std::int64_t tbptt) {
  c.dataset = name;
  c.length = 11;
  c.tbptt = tbptt;
}

const RowsCase rows_cases[] = {
    {"Logistic", [](Config& c) { c.model = ModelKind::logistic; }},
    {"Linear", [](Config& c) { c.model = ModelKind::linear; }},
    {"Fnn",
     [](Config& c) {
       c.model = ModelKind::fnn;
       c.layers = 2;
       c.dropout = 0.3;
     }},
    {"Cnn",
     [](Config& c) {
       c.model = ModelKind::cnn;
       c.layers = 2;
       c.hidden = 3;
       c.dropout = 0.3;
       c.augment = 1;
     }},
    {"Rnn", [](Config&) {}},
    {"RnnF64", [](Config& c) { c.dtype = DType::f64; }},
    {"RnnMuon",
     [](Config& c) {
       c.optimizer = Algorithm::muon;
       c.layers = 2;
       c.augment = 2;
     }},
    {"RnnMasks", every_mask},
    {"LstmLayerNorm",
     [](Config& c) {
       c.model = ModelKind::lstm;
       c.layer_norm = true;
       c.bidirectional = true;
       c.proj_size = 5;
     }},
    {"LstmLarge",
     [](Config& c) {
       c.model = ModelKind::lstm;
       c.hidden = 140;
       c.layer_norm = true;
       c.weight_drop = 0.2;
     }},
    {"GruMasks",
     [](Config& c) {
       c.model = ModelKind::gru;
       every_mask(c);
     }},
    {"GruMeanLast",
     [](Config& c) {
       c.model = ModelKind::gru;
       c.readout = spec::Readout::mean_last;
       c.shards = 16;
     }},
    {"RaggedRnn", [](Config&) {}, ragged_source},
    {"RaggedLstm",
     [](Config& c) {
       c.model = ModelKind::lstm;
       c.bidirectional = true;
       c.readout = spec::Readout::max;
       every_mask(c);
     },
     ragged_source},
    {"Tokens",
     [](Config& c) {
       c.model = ModelKind::lstm;
       every_mask(c);
     },
     token_source},
    {"Adding", [](Config& c) { task(c, "adding", 0); }, test::source},
    {"CopyChunks",
     [](Config& c) {
       c.model = ModelKind::gru;
       task(c, "copy", 8);
       c.ar = 0.5;
       c.dropout = 0.2;
       c.zoneout_h = 0.1;
       c.optimizer = Algorithm::muon;
     },
     test::source},
    {"AddingChunks",
     [](Config& c) {
       c.model = ModelKind::lstm;
       task(c, "adding", 4);
     },
     test::source},
};

Config config_of(const RowsCase& which) {
  Config c = recipe("tutorial");
  c.hidden = 13;
  c.batch_size = kShardedBatch;
  c.steps = 3;
  c.eval_every = 0;
  c.optimizer = Algorithm::adam;
  c.lr = 0.01;
  c.clip_norm = 1;
  c.seed = 4;
  which.change(c);
  return c;
}

struct Trained {
  std::vector<std::vector<std::uint64_t>> weights;
  std::vector<double> losses, norms;
  bool operator==(const Trained&) const = default;
};

Trained trained_by_rows(const Config& config, const test::Source& source) {
  Trainer trainer(config, source);
  Trained all;
  Callbacks callbacks;
  callbacks.on_step = [&](const StepResult& result) {
    all.losses.push_back(result.loss);
    all.norms.push_back(result.grad_norm);
  };
  trainer.run({&callbacks});
  for (const auto& p : trainer.parameters()) all.weights.push_back(test::bits_of(p.value));
  return all;
}

class RowsAtOnce : public testing::TestWithParam<RowsCase> {};

TEST_P(RowsAtOnce, ChangeNoBit) {
  Config c = config_of(GetParam());
  const test::Source source = GetParam().source(c);
  c.threads = 1;
  const Trained whole = trained_by_rows(c, source);
  EXPECT_NE(whole.losses[0], whole.losses[1]);
  for (const int threads : {1, 3})
    for (const std::int64_t rows : {0, 1, 16, 50}) {
      c.threads = threads;
      c.rows_at_once = rows;
      const Trained parts = trained_by_rows(c, source);
      EXPECT_EQ(parts.losses, whole.losses) << rows << " rows, " << threads << " threads";
      EXPECT_EQ(parts.norms, whole.norms) << rows << " rows, " << threads << " threads";
      EXPECT_TRUE(parts.weights == whole.weights) << rows << " rows, " << threads << " threads";
    }
}

INSTANTIATE_TEST_SUITE_P(Models, RowsAtOnce, testing::ValuesIn(rows_cases),
                         testing::PrintToStringParamName());

TEST(RowsAtOnceOfARun, MayChangeWhenItIsResumed) {
  const RowsCase& which =
      *std::ranges::find(rows_cases, std::string_view("GruMasks"), &RowsCase::name);
  Config c = config_of(which);
  const test::Source source = which.source(c);
  const Trained whole = trained_by_rows(c, source);
  Trainer first(c, source);
  Callbacks callbacks;
  std::int64_t made = 0;
  callbacks.on_step = [&](const StepResult& result) { made = result.step; };
  callbacks.stops = [&] { return made == 2; };
  EXPECT_FALSE(first.run({&callbacks}));
  c.rows_at_once = 16;
  Trainer second(c, source);
  second.resume(first.checkpoint());
  second.run({});
  for (std::size_t i = 0; i < whole.weights.size(); ++i)
    EXPECT_EQ(test::bits_of(second.parameters()[i].value), whole.weights[i]);
}

TEST(ShardsOfARun, ChangeItsLastBits) {
  Config c = config_of({"", [](Config&) {}});
  const test::Source source = noise_source(c);
  const Trained four = trained_by_rows(c, source);
  c.shards = 4;
  EXPECT_NE(trained_by_rows(c, source), four)
      << "the last batch of a pass has one shard of its own";
  c.shards = 8;
  const Trained eight = trained_by_rows(c, source);
  EXPECT_NE(eight, four);
  EXPECT_NEAR(eight.losses[2], four.losses[2], 1e-5);
}

TEST(Batch, PutsTheLongestSequencesFirst) {
  Config c;
  c.rows_at_once = 2;
  c.shards = 2;
  data::Sequences set;
  for (const std::int64_t length : {2, 5, 2, 1, 5}) {
    set.lengths.push_back(length);
    set.labels.push_back(std::ssize(set.labels));
    set.values.insert(set.values.end(), static_cast<std::size_t>(length),
                      static_cast<float>(set.labels.back()));
  }
  const auto source = data::sequence_source("five", set, set, 5);
  Batch batch(c);
  const data::Pick picks[] = {{4}, {2}, {3}, {1}, {0}};
  batch.read(*source, picks);
  EXPECT_EQ(batch.targets().to_vector(), (std::vector<double>{4, 1, 2, 0, 3}));
  ASSERT_EQ(batch.parts().size(), 2u);
  const auto lengths_of = [&](std::size_t part) {
    return std::vector(batch.lengths(part).begin(), batch.lengths(part).end());
  };
  EXPECT_EQ(lengths_of(0), (std::vector<std::int64_t>{5, 5}));
  EXPECT_EQ(lengths_of(1), (std::vector<std::int64_t>{2, 2, 1}));
  EXPECT_EQ(batch.parts()[1].steps, 15u);
  EXPECT_EQ(batch.inputs().shape(), (Shape{5, 5, 1}));
}

TEST(Batch, CountsTheRowsOfItsLargestPart) {
  Config c;
  EXPECT_EQ(rows_at_once(c, 127), 127);
  c.rows_at_once = 40;
  EXPECT_EQ(rows_at_once(c, 127), 32);
  c.rows_at_once = 5;
  EXPECT_EQ(rows_at_once(c, 127), 32);
  c.shards = 64;
  EXPECT_EQ(rows_at_once(c, 127), 4);
}

}  // namespace
}  // namespace unroll::train
