// Once warm, a training step and a step of a stream ask nothing of the system.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/mman.h>

#include <cstdlib>
#include <memory>

#include "core/parallel.h"
#include "steady/allocations.h"
#include "train/model_file.h"
#include "train/trainer.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/threads.h"
#include "unroll/infer/model.h"
#include "unroll/nn/conv2d.h"
#include "unroll/nn/dropout.h"
#include "unroll/nn/embedding.h"
#include "unroll/nn/layer_norm.h"
#include "unroll/nn/loss.h"
#include "unroll/nn/max_pool2d.h"
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
  EXPECT_EQ(test::stop_watching(), "malloc 8");
}

/// Images without meaning; an epoch is five and a half batches of 20.
data::Dataset noise() {
  data::Dataset set;
  set.name = "noise";
  set.count = 110;
  set.rows = 9;
  set.columns = 7;
  Generator generator(1);
  for (std::int64_t i = 0; i < set.count * set.rows * set.columns; ++i)
    set.images.push_back(static_cast<std::uint8_t>(generator.next_u32()));
  for (std::int64_t i = 0; i < set.count; ++i)
    set.labels.push_back(static_cast<std::uint8_t>(i % 10));
  return set;
}

struct Setting {
  const char* name;
  train::Algorithm algorithm;
  DType dtype = DType::f32;
  std::int64_t layers = 1;
  Nonlinearity activation = Nonlinearity::relu;
  int augment = 0;
  int threads = 2;
};

void PrintTo(const Setting& setting, std::ostream* out) { *out << setting.name; }

using enum train::Algorithm;
const Setting settings[] = {
    {.name = "Sgd", .algorithm = sgd},
    {.name = "SgdOneThread", .algorithm = sgd, .threads = 1},
    {.name = "Adam", .algorithm = adam, .dtype = DType::f64, .activation = Nonlinearity::tanh},
    {.name = "AdamWOneThread", .algorithm = adamw, .layers = 2, .threads = 1},
    {.name = "Muon", .algorithm = muon, .layers = 2, .augment = 1},
    {.name = "MuonOneThread", .algorithm = muon, .dtype = DType::f64, .threads = 1},
};

class WarmStep : public testing::TestWithParam<Setting> {};

// The trainer's whole step: batch, forward, loss, backward, clipping, update, and epochs that end.
TEST_P(WarmStep, AllocatesNothing) {
  constexpr std::int64_t warm = 12, watched = 50;
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
  config.eval_every = 0;
  const data::Dataset set = noise();
  train::Trainer trainer(config, set, set);
  std::string asked = "nothing was watched";
  train::Observer observer;
  observer.step = [&](const train::StepResult& result) {
    if (result.step == warm) test::start_watching();
    if (result.step == warm + watched) asked = test::stop_watching();
  };
  trainer.run(observer);
  EXPECT_EQ(asked, "");
}

INSTANTIATE_TEST_SUITE_P(Trainer, WarmStep, testing::ValuesIn(settings),
                         testing::PrintToStringParamName());

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
    for (int i = 0; i < 3; ++i) step();
    test::start_watching();
    for (int i = 0; i < 20; ++i) step();
    EXPECT_EQ(test::stop_watching(), "") << threads;
  }
  set_num_threads(before);
}

/// The optimizers that no setting of the trainer asks for.
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
    optimizer->step();
    test::start_watching();
    for (int i = 0; i < 50; ++i) optimizer->step();
    EXPECT_EQ(test::stop_watching(), "");
  }
}

template <class T>
class WarmStream : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(WarmStream, Types);

TYPED_TEST(WarmStream, AllocatesNothing) {
  using T = TypeParam;
  const int before = num_threads();
  for (const std::int64_t hidden : {37, 100, 600})  // the last is work for several threads
    for (const std::int64_t layers : {1, 2})
      for (const int threads : {1, 2}) {
        set_num_threads(threads);
        spec::ModelSpec spec;
        spec.input_size = 28;
        spec.hidden_size = hidden;
        spec.num_layers = layers;
        spec.outputs = 10;
        Generator generator(1);
        train::Classifier model(spec, DTypeOf<T>::value, generator);
        const Parameters parameters = model.parameters();
        infer::Stream<T> stream = infer::Model<T>(spec, train::views_of(parameters)).stream();
        const std::vector<T> row(28, T{0.5});
        std::vector<T> logits(10);
        stream.step(row, logits);
        test::start_watching();
        for (int i = 0; i < 50; ++i) stream.step(row, logits);
        stream.reset();
        stream.step(row, logits);
        EXPECT_EQ(test::stop_watching(), "") << hidden << " " << layers << " " << threads;
      }
  set_num_threads(before);
}

}  // namespace
}  // namespace unroll
