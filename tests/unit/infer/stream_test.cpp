#include "unroll/infer/stream.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/expect_error.h"
#include "support/flush_to_zero.h"
#include "support/tensors.h"
#include "support/trained.h"
#include "unit/infer/models.h"
#include "unroll/core/error.h"

namespace unroll::infer {
namespace {

using test::Both;
using test::error_of;

std::vector<Named> streamed_models() {
  std::vector<Named> all = recurrent_models();
  std::erase_if(all, [](const Named& named) { return is_bidirectional(named.spec); });
  return all;
}

template <class T>
std::vector<std::uint64_t> stream_bits(std::span<const T> values) {
  return test::bits_of(Tensor::from(values, {static_cast<std::int64_t>(values.size())}));
}

/// What the model gives for the last of the steps so far.
template <class T>
std::vector<T> last_of_run(const Both<T>& both, std::span<const T> rows, std::size_t steps) {
  std::vector<T> all = both.run(rows.first(5 * steps), 1, steps);
  return {all.end() - 3, all.end()};
}

class StreamedModel : public testing::TestWithParam<Named> {};

template <class T>
void stream_has_the_bits_of_run(const spec::ModelSpec& spec) {
  const Both<T> both(spec);
  const Tensor x = test::random_tensor({8, 5}, DTypeOf<T>::value, 2);
  const std::span<const T> rows = x.values<T>();
  Stream<T> stream = both.model.stream();
  std::vector<T> out(3), first;
  for (std::size_t t = 0; t < 8; ++t) {
    stream.step(rows.subspan(5 * t, 5), out);
    EXPECT_EQ(stream_bits<T>(out), stream_bits<T>(last_of_run(both, rows, t + 1)))
        << "after step " << t + 1;
    if (t == 0) first = out;
  }
  EXPECT_NE(out, first);
  stream.reset();
  stream.step(rows.first(5));
  stream.outputs(out);
  EXPECT_EQ(stream_bits<T>(out), stream_bits<T>(first));
  stream.outputs(out);  // looking changes nothing
  EXPECT_EQ(stream_bits<T>(out), stream_bits<T>(first));
}

TEST_P(StreamedModel, HasTheBitsOfRunOnEveryPrefix) {
  stream_has_the_bits_of_run<float>(GetParam().spec);
  stream_has_the_bits_of_run<double>(GetParam().spec);
}

TEST_P(StreamedModel, ABlockIsItsSteps) {
  const Both<float> both(GetParam().spec);
  const Tensor x = test::random_tensor({9, 5}, DType::f32, 3);
  const std::span<const float> rows = x.values<float>();
  Stream<float> by_steps = both.model.stream(), by_blocks = both.model.stream();
  std::vector<float> one(9 * 3), other(9 * 3);
  for (std::size_t t = 0; t < 9; ++t)
    by_steps.step(rows.subspan(5 * t, 5), std::span(one).subspan(3 * t, 3));
  by_blocks.process(rows.first(5 * 2), std::span(other).first(3 * 2), 2);
  by_blocks.process(rows.subspan(5 * 2), std::span(other).subspan(3 * 2), 7);
  EXPECT_EQ(stream_bits<float>(one), stream_bits<float>(other));
}

// Several at once, some of which begin again in between: each as if it were alone.
TEST_P(StreamedModel, ManyAreAsOne) {
  constexpr std::size_t kCount = 4, kSteps = 7;
  const Both<float> both(GetParam().spec);
  const Tensor x = test::random_tensor({kSteps, kCount, 5}, DType::f32, 4);
  const std::span<const float> rows = x.values<float>();
  Stream<float> together = both.model.stream(kCount);
  std::vector<Stream<float>> alone(kCount, both.model.stream());
  std::vector<float> out(kCount * 3), one(3);
  for (std::size_t t = 0; t < kSteps; ++t) {
    for (const auto& [at, sequence] : {std::pair<std::size_t, std::size_t>{2, 1}, {2, 2}, {5, 3}})
      if (t == at) {
        together.reset(sequence);
        alone[sequence].reset();
      }
    together.step(rows.subspan(t * kCount * 5, kCount * 5), out);
    for (std::size_t n = 0; n < kCount; ++n) {
      alone[n].step(rows.subspan((t * kCount + n) * 5, 5), one);
      EXPECT_EQ(stream_bits<float>(std::span<const float>(out).subspan(n * 3, 3)),
                stream_bits<float>(one))
          << "sequence " << n << ", step " << t;
    }
  }
  for (std::size_t l = 0; l < together.layers(); ++l) {
    const std::size_t width = together.h(l).size() / kCount;
    for (std::size_t n = 0; n < kCount; ++n)
      EXPECT_EQ(stream_bits<float>(together.h(l).subspan(n * width, width)),
                stream_bits<float>(alone[n].h(l)));
  }
}

// What is read before a sequence's first step, of one that begins again as of one that never began.
TEST_P(StreamedModel, AResetSequenceReadsAsANewOne) {
  constexpr std::size_t kCount = 3, kReset = 1;
  const Both<float> both(GetParam().spec);
  const Tensor x = test::random_tensor({2, kCount, 5}, DType::f32, 6);
  std::vector<float> expected(kCount * 3), fresh(kCount * 3), out(kCount * 3);
  both.model.stream(kCount).outputs(fresh);
  Stream<float> stream = both.model.stream(kCount);
  for (std::int64_t t = 0; t < 2; ++t) stream.step(x.select(0, t).values<float>(), expected);
  std::copy_n(fresh.begin() + kReset * 3, 3, expected.begin() + kReset * 3);
  stream.reset(kReset);
  stream.outputs(out);
  EXPECT_EQ(stream_bits<float>(out), stream_bits<float>(expected));
  stream.outputs(out);  // looking changes nothing
  EXPECT_EQ(stream_bits<float>(out), stream_bits<float>(expected));
}

TEST_P(StreamedModel, ACopyGoesItsOwnWay) {
  const Both<double> both(GetParam().spec);
  const Tensor x = test::random_tensor({3, 5}, DType::f64, 5);
  const std::span<const double> rows = x.values<double>();
  std::vector<double> out(3), branched(3);
  Stream<double> stream = both.model.stream();
  stream.step(rows.first(5), out);
  Stream<double> branch = stream;
  branch.step(rows.subspan(10, 5), branched);
  stream.step(rows.subspan(5, 5), out);
  EXPECT_EQ(out, last_of_run(both, rows, 2));
  std::vector<double> other(rows.begin(), rows.begin() + 5);
  other.insert(other.end(), rows.begin() + 10, rows.end());
  EXPECT_EQ(branched, last_of_run<double>(both, other, 2));
}

// A program that flushes subnormal numbers gets the same bits, and keeps its mode.
TEST_P(StreamedModel, KeepsTheCallersFloatingPointMode) {
  const Both<float> both(GetParam().spec);
  const std::vector<float> tiny(5, 1e-39f);
  std::vector<float> out(3), flushed(3);
  Stream<float> stream = both.model.stream(), other = both.model.stream();
  stream.step(tiny, out);
  const test::FlushToZero flush;
  volatile float smallest = 1e-38f;
  other.step(tiny, flushed);
  EXPECT_EQ(smallest * 0.1f, 0) << "the mode is gone";
  EXPECT_EQ(stream_bits<float>(out), stream_bits<float>(flushed));
}

INSTANTIATE_TEST_SUITE_P(Infer, StreamedModel, testing::ValuesIn(streamed_models()),
                         [](const auto& model) { return model.param.name; });

TEST(Stream, StateTakenOutAndPutBack) {
  const Both<double> both(streamed_models()[5].spec);  // an LSTM that reads its last state
  ASSERT_EQ(streamed_models()[5].name, "Lstm");
  const Tensor x = test::random_tensor({4, 5}, DType::f64, 6);
  const std::span<const double> rows = x.values<double>();
  std::vector<double> out(3), again(3);
  Stream<double> stream = both.model.stream();
  for (const double h : stream.h(0)) EXPECT_EQ(h, 0);
  for (std::size_t t = 0; t < 3; ++t) stream.step(rows.subspan(5 * t, 5));
  const std::vector<double> h(stream.h(0).begin(), stream.h(0).end()),
      c(stream.c(0).begin(), stream.c(0).end());
  EXPECT_EQ(h.size(), 13u);
  EXPECT_EQ(c.size(), 13u);
  stream.step(rows.subspan(15, 5), out);
  Stream<double> fresh = both.model.stream();
  fresh.set_state(0, h, c);
  fresh.step(rows.subspan(15, 5), again);
  EXPECT_EQ(again, out);
  EXPECT_EQ(
      error_of<ShapeError>([&] { fresh.set_state(0, h); }),
      "[stream] 13 and 0 numbers given for the states h and c of layer 0, expected 13 and 13");
  EXPECT_THROW(fresh.set_state(1, h, c), ShapeError);
}

TEST(Stream, LearntStatesAreWhereItBegins) {
  const auto models = streamed_models();
  const auto learnt = std::ranges::find(models, "GruLearnt2", &Named::name);
  Both<float> both(learnt->spec);
  std::vector<float> h_0;
  for (const auto& p : both.module.parameters())
    if (p.name == "gru.h_0" || p.name == "rnn.h_0") {
      const auto values = p.value.values<float>();
      h_0.assign(values.begin(), values.end());
    }
  ASSERT_EQ(h_0.size(), 26u);
  const Stream<float> stream = both.model.stream(2);
  for (std::size_t l = 0; l < 2; ++l)
    for (std::size_t i = 0; i < 26; ++i) EXPECT_EQ(stream.h(l)[i], h_0[l * 13 + i % 13]);
}

TEST(Stream, BidirectionalModelsAreRefused) {
  for (const Named& named : recurrent_models())
    if (is_bidirectional(named.spec)) {
      const Both<float> both(named.spec);
      const std::string text = error_of<ValueError>([&] { both.model.stream(); });
      EXPECT_NE(text.find("so the output at a step depends on later steps"), std::string::npos)
          << text;
    }
}

TEST(Stream, SizesThatDoNotFitAreErrors) {
  const Both<float> both(test::rnn_spec(5, 13, 3));
  std::vector<float> input(20), logits(6);
  const std::span<const float> in = input;
  const std::span<float> out = logits;
  Stream<float> stream = both.model.stream(), two = both.model.stream(2);
  EXPECT_EQ(error_of<ShapeError>([&] { stream.step(in.first(4), out.first(3)); }),
            "[infer] 4 inputs given, expected 5 for 1 sequence and 1 step");
  EXPECT_EQ(error_of<ShapeError>([&] { stream.outputs(out); }),
            "[infer] 6 outputs given, expected 3 for 1 sequence and 1 step");
  EXPECT_EQ(error_of<ShapeError>([&] { two.process(in, out, 2); }),
            "[infer] 6 outputs given, expected 12 for 2 sequences and 2 steps");
  EXPECT_NO_THROW(two.process(in.first(0), out.first(0), 0));
  EXPECT_THROW(two.process(in.first(0), out.first(0), std::size_t{1} << 63), ShapeError);
  EXPECT_THROW(stream.step(in.first(5), out), ShapeError);
  EXPECT_EQ(error_of<ValueError>([&] { two.reset(2); }),
            "[stream] there is no sequence 2, expected 0 to 1");
  EXPECT_THROW(both.model.stream(0), ValueError);
}

}  // namespace
}  // namespace unroll::infer
