// Once warm, a training step asks nothing of the system.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "core/parallel.h"
#include "data/sequence_source.h"
#include "data/series_source.h"
#include "steady/allocations.h"
#include "support/everything.h"
#include "support/sources.h"
#include "support/token_source.h"
#include "train/network.h"
#include "train/trainer.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/threads.h"
#include "unroll/nn/activation_regularisation.h"
#include "unroll/nn/conv2d.h"
#include "unroll/nn/dropout.h"
#include "unroll/nn/embedding.h"
#include "unroll/nn/layer_norm.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/loss.h"
#include "unroll/nn/lstm.h"
#include "unroll/nn/max_pool2d.h"
#include "unroll/nn/readout.h"
#include "unroll/optim/adagrad.h"
#include "unroll/optim/adam.h"
#include "unroll/optim/muon.h"
#include "unroll/optim/rmsprop.h"
#include "unroll/optim/sgd.h"

namespace unroll {
namespace {

/// What `f`, which returns what it allocated, asks of the system. `block` is volatile lest the
/// compiler leaves out what nobody uses.
template <class F>
std::string asked_by(F&& f, void* volatile& block) {
  test::start_watching();
  block = f();
  return test::stop_watching();
}

/// What `watched` more steps ask of the system, once so many were made.
template <class F>
std::string asked_by_repeating(F&& step, int made, int watched) {
  for (int i = 0; i < made; ++i) step();
  test::start_watching();
  for (int i = 0; i < watched; ++i) step();
  return test::stop_watching();
}

/// Lengths of 1 to 9 steps, in no order.
std::vector<std::int64_t> unequal_lengths() {
  std::vector<std::int64_t> lengths(20);
  for (std::size_t n = 0; n < lengths.size(); ++n)
    lengths[n] = 1 + static_cast<std::int64_t>(n) * 5 % 9;
  return lengths;
}

TEST(Allocations, AreSeen) {
  void* volatile block = nullptr;
  EXPECT_EQ(asked_by([] { return std::malloc(10); }, block), "malloc 1");
  EXPECT_EQ(asked_by([&] { return std::realloc(block, 20); }, block), "realloc 1");
  std::free(block);
  EXPECT_EQ(asked_by([] { return std::calloc(1, 10); }, block), "calloc 1");
  std::free(block);
  EXPECT_EQ(asked_by([] { return std::aligned_alloc(64, 64); }, block), "aligned_alloc 1");
  std::free(block);
  EXPECT_EQ(asked_by([] { return memalign(64, 64); }, block), "memalign 1");
  std::free(block);
  const auto posix = [] {
    void* made = nullptr;
    return posix_memalign(&made, 64, 64) == 0 ? made : nullptr;
  };
  EXPECT_EQ(asked_by(posix, block), "posix_memalign 1");
  std::free(block);
  EXPECT_EQ(asked_by([] { return ::operator new(10); }, block), "operator new 1");
  ::operator delete(block);
  EXPECT_EQ(asked_by([] { return ::operator new[](10, std::nothrow); }, block), "operator new 1");
  ::operator delete[](block);
  constexpr std::align_val_t line{64};
  EXPECT_EQ(asked_by([] { return ::operator new(10, line); }, block), "operator new 1");
  ::operator delete(block, line);
  const auto map = [] {
    return mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  };
  EXPECT_EQ(asked_by(map, block), "mmap 1");
  EXPECT_EQ(munmap(block, 4096), 0);
  EXPECT_EQ(asked_by([] { return nullptr; }, block), "");
}

TEST(Allocations, AreSeenInEveryThread) {
  set_num_threads(3);
  parallel(8, [](std::size_t) {});
  test::start_watching();
  parallel(8, [](std::size_t) {
    void* volatile block = std::malloc(10);
    std::free(block);
  });
  EXPECT_EQ(test::stop_watching(), "malloc 8, free 8");
}

struct Setting {
  const char* name;
  train::Algorithm algorithm;
  DType dtype = DType::f32;
  std::int64_t layers = 1;
  spec::Activation activation = spec::Activation::relu;
  int augment = 0;
  int threads = 2;
  std::int64_t rows_at_once = 0;
};

void PrintTo(const Setting& setting, std::ostream* out) { *out << setting.name; }

using enum train::Algorithm;
const Setting settings[] = {
    {.name = "Sgd", .algorithm = sgd},
    {.name = "SgdOneThread", .algorithm = sgd, .threads = 1},
    {.name = "Adam", .algorithm = adam, .dtype = DType::f64, .activation = spec::Activation::tanh},
    {.name = "AdamWOneThread", .algorithm = adamw, .layers = 2, .threads = 1},
    {.name = "AdamInParts", .algorithm = adam, .layers = 2, .rows_at_once = 5},
    {.name = "Muon", .algorithm = muon, .layers = 2, .augment = 1},
    {.name = "MuonOneThread", .algorithm = muon, .dtype = DType::f64, .threads = 1},
};

// Steps before the first that is watched, and those that are.
constexpr std::int64_t warm = 12, watched = 50;
// Until then every size of batch has come.
constexpr std::int64_t warm_ragged = 300;

/// What the watched steps of a run, which makes one more, ask of the system.
std::string asked_by_steps(train::Trainer&& trainer, std::int64_t first = warm) {
  std::string asked = "nothing was watched";
  std::int64_t made = 0;
  train::Callbacks callbacks;
  callbacks.on_step = [&](const train::StepResult& result) {
    if (result.step == first) test::start_watching();
    if (result.step == first + watched) asked = test::stop_watching();
    made = result.step;
  };
  // A checkpoint leaves nothing behind that a later step would have to make again.
  callbacks.stops = [&] {
    if (made == first - 1) train::to_bytes(trainer.checkpoint());
    return false;
  };
  trainer.run({&callbacks});
  return asked;
}

class WarmStep : public testing::TestWithParam<Setting> {};

// The trainer's whole step: batch, forward, loss, backward, clipping, update, and epochs that end.
TEST_P(WarmStep, AllocatesNothing) {
  const Setting& s = GetParam();
  train::Config config = train::recipe("tutorial");
  config.hidden = 37;
  config.layers = s.layers;
  config.activation = s.activation;
  config.batch_size = 20;
  config.steps = warm + watched + 1;
  config.augment = s.augment;
  config.optimizer = s.algorithm;
  config.lr = 0.01;
  config.momentum = 0.9;
  config.clip_norm = 1;
  config.schedule = train::ScheduleKind::linear;
  config.dtype = s.dtype;
  config.threads = s.threads;
  config.shards = 4;
  config.rows_at_once = s.rows_at_once;
  config.eval_every = 0;
  const data::Dataset set = test::noise(110);  // an epoch is five and a half batches of 20
  EXPECT_EQ(asked_by_steps({config, test::images(config, set)}), "");
}

INSTANTIATE_TEST_SUITE_P(Trainer, WarmStep, testing::ValuesIn(settings),
                         testing::PrintToStringParamName());

// Batches that are made, and sequences that are read in chunks.
TEST(WarmTask, AllocatesNothing) {
  using enum train::ModelKind;
  for (const std::string_view task : {"adding", "copy"})
    for (const auto model : {rnn, lstm, gru})
      for (const std::int64_t tbptt : {0, 4}) {
        train::Config config = train::recipe("tuned", {.dataset = task, .model = model});
        config.length = 9;
        config.hidden = 13;
        config.batch_size = 20;
        config.steps = warm + watched + 1;
        config.eval_every = 0;
        config.threads = 2;
        config.tbptt = tbptt;
        config.shards = 4;
        config.rows_at_once = tbptt;
        EXPECT_EQ(asked_by_steps({config, test::source(config)}), "")
            << task << " with model " << name_of(model) << ", " << tbptt;
      }
}

/// Sequences of different lengths, whose batches have other lengths every time.
TEST(WarmRaggedRun, AllocatesNothing) {
  Generator generator(1);
  data::Sequences set;
  std::vector<std::vector<std::int64_t>> texts;
  for (std::int64_t k = 0; k < 110; ++k) {
    set.lengths.push_back(1 + generator.next_u32() % 9);
    set.labels.push_back(k % 3);
    texts.emplace_back(static_cast<std::size_t>(set.lengths.back() + 1), k % 5);
    set.values.insert(set.values.end(), static_cast<std::size_t>(set.lengths.back()), 0.5F);
  }
  data::Recordings recordings;
  recordings.name = "recordings";
  recordings.settings.validate = "none";
  recordings.columns = {{"x"}};
  recordings.values = set.values;
  recordings.lengths = set.lengths;
  recordings.target_columns = {{"kind", {"a", "b", "c"}}};
  for (std::int64_t k = 0; k < set.count(); ++k) {
    recordings.names.push_back(std::to_string(k));
    recordings.targets.push_back(static_cast<float>(k % 3));
  }
  for (const std::shared_ptr<const data::Source>& source :
       {data::sequence_source("sequences", set, set, 3), data::series_source(recordings),
        std::shared_ptr<const data::Source>(std::make_shared<test::TokenSource>(5, texts))})
    for (const auto model : {train::ModelKind::rnn, train::ModelKind::lstm}) {
      train::Config config;
      config.model = model;
      config.hidden = 13;
      config.batch_size = 20;
      config.steps = warm_ragged + watched + 1;
      config.eval_every = 0;
      config.threads = 2;
      config.shards = 4;
      config.rows_at_once = model == train::ModelKind::lstm ? 5 : 0;
      EXPECT_EQ(asked_by_steps({config, source}, warm_ragged), "") << source->name();
    }
}

/// Every layer and loss that the trainer's models do not have.
struct OtherLayers : nn::Module {
  nn::Embedding embedding;
  nn::Conv2d convolution;
  nn::LayerNorm norm;
  nn::Dropout dropout;
  nn::Linear fc;
  OtherLayers()
      : embedding(child("embedding"), 9, 7),
        convolution(child("convolution"), 2, 6, 3, {.padding = 1}),
        norm(child("norm"), Shape{4, 3}),
        dropout(child("dropout"), 0.3),
        fc(child("fc"), 6 * 4 * 3, 5) {}

  Tensor loss(const Tensor& indices, const Tensor& target, const Tensor& wanted) const {
    const Tensor x = embedding(indices).view({indices.size(0), 2, 8, 7});
    const Tensor h = norm(nn::max_pool2d(relu(convolution(x)), 2));
    const Tensor y = fc(dropout(h).view({h.size(0), -1}));
    return nn::cross_entropy(y, target, {.ignore_index = 0, .label_smoothing = 0.1}) +
           nn::binary_cross_entropy_with_logits(y, wanted) + nn::l1_loss(sigmoid(y), wanted) +
           nn::mse_loss(softmax(y), wanted);
  }
};

TEST(WarmLayers, AllocateNothing) {
  const int before = num_threads();
  for (const int threads : {1, 2}) {
    set_num_threads(threads);
    OtherLayers model;
    optim::Sgd optimizer(model.parameters(), {.lr = 0.01});
    std::vector<std::int64_t> rows, classes;
    for (std::int64_t i = 0; i < 20 * 16; ++i) rows.push_back(i % 9);
    for (std::int64_t i = 0; i < 20; ++i) classes.push_back(i % 5);
    const Tensor indices = Tensor::from(rows, {20, 16}), target = Tensor::from(classes, {20});
    const Tensor wanted = Tensor::full({20, 5}, 0.25);
    const auto step = [&] {
      optimizer.zero_grad();
      model.loss(indices, target, wanted).backward();
      optimizer.step();
    };
    EXPECT_EQ(asked_by_repeating(step, 3, 20), "") << threads;
  }
  set_num_threads(before);
}

// Every layer that a description has, and batches of changing lengths.
TEST(WarmNetwork, AllocatesNothing) {
  const int before = num_threads();
  for (const int threads : {1, 2}) {
    set_num_threads(threads);
    Generator generator(1);
    train::Network network(test::everything_spec(), generator, {.dropout = 0.2, .ar = 0.1});
    const Parameters parameters = network.parameters();
    optim::Sgd sgd(parameters, {.lr = 0.01});
    const Tensor tokens = Tensor::from(test::some_tokens<std::int64_t>(20 * 9), {20, 9});
    const Tensor target = Tensor::from(std::vector<std::int64_t>(20, 1), {20});
    std::vector<std::int64_t> lengths = unequal_lengths();
    train::Network::States states;
    std::vector<Tensor> penalties;
    const auto step = [&] {
      std::rotate(lengths.begin(), lengths.begin() + 1, lengths.end());
      std::ranges::fill(states, nn::State{});
      penalties.clear();
      sgd.zero_grad();
      const Tensor loss = nn::cross_entropy(network(tokens, states, penalties, lengths), target);
      (loss + penalties.at(0)).backward();
      sgd.step();
    };
    EXPECT_EQ(asked_by_repeating(step, 12, 30), "") << threads;
  }
  set_num_threads(before);
}

// Everything that a recurrent layer can have at once: ragged batches in changing order, two
// directions, every regulariser, a readout, and penalties.
TEST(WarmRecurrentLayer, AllocatesNothing) {
  struct Model : nn::Module {
    nn::Lstm lstm;
    nn::Linear fc;
    Model()
        : lstm(child("lstm"), 7, 13,
               {.num_layers = 2,
                .batch_first = true,
                .dropout = 0.3,
                .bidirectional = true,
                .proj_size = 5,
                .regularisation = {.variational_dropout = {0.1, 0.1},
                                   .recurrent_dropout = 0.1,
                                   .zoneout = {0.1, 0.1},
                                   .weight_drop = 0.1,
                                   .layer_norm = true},
                .learn_initial_state = true}),
          fc(child("fc"), 10, 3) {}
  };
  const int before = num_threads();
  for (const int threads : {1, 2}) {
    set_num_threads(threads);
    Model model;
    const Parameters parameters = model.parameters();
    optim::Sgd sgd(parameters, {.lr = 0.01});
    const Tensor x = Tensor::full({20, 9, 7}, 0.5);
    const Tensor target = Tensor::from(std::vector<std::int64_t>(20, 1), {20});
    std::vector<std::int64_t> lengths = unequal_lengths();
    const auto step = [&] {
      std::rotate(lengths.begin(), lengths.begin() + 1, lengths.end());
      const nn::BatchLayout layout{lengths, true};
      sgd.zero_grad();
      const auto [output, h_n, c_n] = model.lstm(x, {}, {.lengths = lengths});
      const Tensor read = nn::readout(output, nn::Readout::mean, layout);
      const Tensor loss = nn::cross_entropy(model.fc(read), target) +
                          nn::activation_regularisation(output, 0.1, layout) +
                          nn::temporal_activation_regularisation(output, 0.1, layout);
      loss.backward();
      sgd.step();
    };
    EXPECT_EQ(asked_by_repeating(step, 12, 30), "") << threads;
  }
  set_num_threads(before);
}

/// Optimizers alone, with the options that no setting asks for too.
TEST(WarmOptimizer, AllocatesNothing) {
  const Parameters p{{"matrix", Tensor::zeros({5, 7}).set_requires_grad(true), 1},
                     {"bias", Tensor::zeros({5}).set_requires_grad(true)}};
  for (const Parameter& each : p) each.value.backward(Tensor::full(each.value.shape(), 0.5));
  optim::AdamW amsgrad(p, {.amsgrad = true});
  optim::RmsProp rmsprop(p);
  optim::RmsProp centered(p, {.momentum = 0.9, .centered = true});
  optim::Adagrad adagrad(p);
  optim::Muon groups({{{p[0]}, {.lr = 0.1}}, {{p[1]}, {.others = {.lr = 0.1}}}});
  for (optim::Optimizer* optimizer :
       std::initializer_list<optim::Optimizer*>{&amsgrad, &rmsprop, &centered, &adagrad, &groups}) {
    EXPECT_EQ(asked_by_repeating([&] { optimizer->step(); }, 1, 50), "");
  }
}

}  // namespace
}  // namespace unroll
