// A stream asks nothing of the system, takes no lock, and keeps the caller's floating-point mode.
#include "unroll/infer/stream.h"

#include <gtest/gtest.h>

#include <mutex>

#include "nn/model_file.h"
#include "steady/allocations.h"
#include "support/everything.h"
#include "support/specs.h"
#include "train/network.h"
#include "unroll/c.h"
#include "unroll/core/threads.h"

namespace unroll {
namespace {

template <class T>
infer::Model<T> untrained(const spec::ModelSpec& spec) {
  Generator generator(1);
  train::Network model(spec, generator, {.dtype = DTypeOf<T>::value});
  const Parameters parameters = model.parameters();
  return {spec, nn::views_of(parameters)};
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

// Every stage that is not a recurrent layer.
TYPED_TEST(WarmStream, OfEveryLayerAsksForNothing) {
  using T = TypeParam;
  for (const spec::Readout readout : {spec::Readout::mean_last, spec::Readout::every_step}) {
    infer::Stream<T> stream = untrained<T>(test::everything_spec(readout)).stream(2);
    const std::vector<T> in = test::some_tokens<T>(40 * 2);
    std::vector<T> out(40 * 2 * 3);
    test::start_watching();
    for (int round = 0; round < 20; ++round) {
      stream.process(in, out, 40);
      stream.reset(1);
    }
    EXPECT_EQ(test::stop_watching(), "");
    EXPECT_EQ(test::locks_seen(), 0);
  }
}

TEST(WarmStreamOfTokens, ARefusedTokenInCAsksForNothing) {
  const spec::ModelSpec spec = test::everything_spec();
  Generator generator(1);
  train::Network made(spec, generator, {});
  const std::vector<std::byte> file = nn::model_bytes(spec, made.parameters());
  unroll_model* const model = unroll_model_load_memory(file.data(), file.size());
  ASSERT_TRUE(model) << unroll_last_error();
  unroll_stream* const stream = unroll_stream_new(model, 1);
  ASSERT_TRUE(stream) << unroll_last_error();
  const float in[2] = {6, 7};
  float out[6] = {};
  test::start_watching();
  const unroll_status status = unroll_stream_process(stream, in, 2, out, 6, 2);
  EXPECT_EQ(test::stop_watching(), "");
  EXPECT_EQ(status, UNROLL_ERROR_VALUE);
  EXPECT_STREQ(unroll_last_error(),
               "[infer] input 1 is 7, expected a token: a whole number from 0 to 6");
  unroll_stream_free(stream);
  unroll_model_free(model);
}

// A host in real time may get a count wrong; being told so must not stop it.
TEST(Trial14Stream, ARefusedCallInCAsksForNothing) {
  const spec::ModelSpec spec = specs()[0];
  Generator generator(1);
  train::Network made(spec, generator, {});
  const std::vector<std::byte> file = nn::model_bytes(spec, made.parameters());
  unroll_model* const model = unroll_model_load_memory(file.data(), file.size());
  ASSERT_TRUE(model) << unroll_last_error();
  unroll_stream* const stream = unroll_stream_new(model, 2);
  ASSERT_TRUE(stream) << unroll_last_error();
  float in[6] = {}, out[4] = {};
  const auto refused = [](unroll_status expected, const char* text, const auto& call) {
    test::start_watching();
    const unroll_status status = call();
    EXPECT_EQ(test::stop_watching(), "") << text;
    EXPECT_EQ(test::locks_seen(), 0) << text;
    EXPECT_EQ(status, expected) << text;
    EXPECT_STREQ(unroll_last_error(), text);
  };
  const auto shape = UNROLL_ERROR_SHAPE, value = UNROLL_ERROR_VALUE;
  refused(shape, "[infer] 5 inputs given, expected 6 for 2 sequences and 1 step",
          [&] { return unroll_stream_step(stream, in, 5, out, 4); });
  refused(shape, "[infer] 5 inputs given, expected 6 for 2 sequences and 1 step",
          [&] { return unroll_stream_step(stream, in, 5, nullptr, 0); });
  refused(shape, "[infer] 3 outputs given, expected 4 for 2 sequences and 1 step",
          [&] { return unroll_stream_step(stream, in, 6, out, 3); });
  refused(shape, "[infer] 6 inputs given, expected 18 for 2 sequences and 3 steps",
          [&] { return unroll_stream_process(stream, in, 6, out, 12, 3); });
  refused(shape, "[infer] 0 outputs given, expected 4 for 2 sequences and 1 step",
          [&] { return unroll_stream_process(stream, in, 6, nullptr, 0, 1); });
  refused(value, "[c] stream is NULL", [&] { return unroll_stream_step(nullptr, in, 6, out, 4); });
  refused(value, "[c] stream is NULL", [&] { return unroll_stream_step(nullptr, in, 6, out, 0); });
  refused(value, "[c] input is NULL",
          [&] { return unroll_stream_step(stream, nullptr, 6, out, 4); });
  refused(value, "[c] output is NULL",
          [&] { return unroll_stream_step(stream, in, 6, nullptr, 4); });
  refused(value, "[c] stream is NULL",
          [&] { return unroll_stream_process(nullptr, in, 6, out, 4, 1); });
  refused(value, "[c] stream is NULL", [&] { return unroll_stream_reset(nullptr); });
  refused(value, "[c] stream is NULL", [&] { return unroll_stream_reset_one(nullptr, 0); });
  refused(value, "[stream] there is no sequence 2, expected 0 to 1",
          [&] { return unroll_stream_reset_one(stream, 2); });
  test::start_watching();
  EXPECT_EQ(unroll_stream_step(stream, in, 6, out, 4), UNROLL_OK);
  EXPECT_EQ(unroll_stream_process(stream, in, 6, out, 4, 1), UNROLL_OK);
  EXPECT_EQ(unroll_stream_reset(stream), UNROLL_OK);
  EXPECT_EQ(unroll_stream_reset_one(stream, 1), UNROLL_OK);
  EXPECT_EQ(test::stop_watching(), "");
  unroll_stream_free(stream);
  unroll_model_free(model);
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
