// A stream asks nothing of the system, takes no lock, and keeps the caller's floating-point mode.
#include "unroll/infer/stream.h"

#include <gtest/gtest.h>

#include <mutex>

#include "steady/allocations.h"
#include "support/specs.h"
#include "train/classifier.h"
#include "train/model_file.h"
#include "unroll/core/threads.h"

namespace unroll {
namespace {

template <class T>
infer::Model<T> untrained(const spec::ModelSpec& spec) {
  Generator generator(1);
  train::Classifier model(spec, generator, {.dtype = DTypeOf<T>::value});
  const Parameters parameters = model.parameters();
  return {spec, train::views_of(parameters)};
}

/// One of each cell, with all that a step may have to do.
std::vector<spec::ModelSpec> specs() {
  using enum spec::Cell;
  using enum spec::Readout;
  std::vector<spec::ModelSpec> all;
  const auto add = [&](spec::RecurrentSpec r) {
    r.input_size = 3;
    r.hidden_size = 7;
    all.push_back(test::recurrent_spec(r, 2));
  };
  add({.cell = rnn});
  add({.cell = rnn, .nonlinearity = Nonlinearity::tanh, .num_layers = 2, .readout = every_step});
  add({.cell = lstm, .readout = mean});
  add({.cell = lstm, .proj_size = 4, .layer_norm = true, .learn_initial_state = true});
  add({.cell = gru, .num_layers = 2, .zoneout_h = 0.1, .readout = max});
  add({.cell = gru, .layer_norm = true, .readout = mean_last});
  all.back().layers.emplace_back(spec::ActivationSpec{spec::Activation::sigmoid});
  return all;
}

TEST(Locks, AreSeen) {
  test::start_watching();
  std::mutex mutex;
  { const std::lock_guard lock(mutex); }
  if (mutex.try_lock()) mutex.unlock();
  test::stop_watching();
  EXPECT_EQ(test::locks_seen(), 2);
}

template <class T>
class WarmStream : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(WarmStream, Types);

// A million steps, by the one and by the block, with resets, branches and states put in.
TYPED_TEST(WarmStream, AsksForNothingAndTakesNoLock) {
  using T = TypeParam;
  constexpr int kRounds = 1500, kBlock = 100;
  const std::vector<spec::ModelSpec> all = specs();
  static_assert(kRounds * (kBlock + 12) * 6 > 1'000'000);
  ASSERT_EQ(all.size(), 6u);
  for (std::size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(i);
    infer::Stream<T> stream = untrained<T>(all[i]).stream(2);
    infer::Stream<T> branch = stream;
    const std::vector<T> in(kBlock * 2 * 3, T{0.5});
    std::vector<T> out(kBlock * 2 * 2), h(stream.h(0).begin(), stream.h(0).end()),
        c(stream.c(0).begin(), stream.c(0).end());
    const std::span<const T> one = std::span<const T>(in).first(2 * 3);
    const std::span<T> result = std::span<T>(out).first(2 * 2);
    test::start_watching();
    for (int round = 0; round < kRounds; ++round) {
      stream.process(in, out, kBlock);
      for (int step = 0; step < 10; ++step) stream.step(one, result);
      stream.reset(1);
      stream.step(one);
      stream.outputs(result);
      branch = stream;
      branch.set_state(0, h, c);
      branch.step(one, result);
      if (round % 10 == 0) stream.reset();
    }
    EXPECT_EQ(test::stop_watching(), "");
    EXPECT_EQ(test::locks_seen(), 0);
  }
}

// Sizes that whole sequences would share among threads.
TYPED_TEST(WarmStream, StaysOnItsThreadWhateverTheSize) {
  using T = TypeParam;
  const int before = num_threads();
  for (const std::int64_t hidden : {37, 600})
    for (const int threads : {1, 3}) {
      set_num_threads(threads);
      infer::Stream<T> stream = untrained<T>(test::rnn_spec(28, hidden, 10, 2)).stream();
      const std::vector<T> row(28, T{0.5});
      std::vector<T> logits(10);
      test::start_watching();
      for (int i = 0; i < 50; ++i) stream.step(row, logits);
      EXPECT_EQ(test::stop_watching(), "") << hidden << " " << threads;
      EXPECT_EQ(test::locks_seen(), 0) << hidden << " " << threads;
    }
  set_num_threads(before);
}

}  // namespace
}  // namespace unroll
