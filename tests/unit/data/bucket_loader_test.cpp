#include "unroll/data/bucket_loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "support/expect_error.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

using test::error_of;
using Values = std::vector<double>;

/// Sequences of 2 features and random lengths 3 to 50: number 10 k + t and its negative at step t
/// of sequence k, whose label is k.
Sequences make_sequences(std::int64_t count, std::uint64_t seed = 1) {
  Sequences s;
  s.features = 2;
  Generator generator(seed);
  for (std::int64_t k = 0; k < count; ++k) {
    s.lengths.push_back(3 + generator.next_u32() % 48);
    s.labels.push_back(k);
    for (std::int64_t t = 0; t < s.lengths.back(); ++t)
      for (const int sign : {1, -1}) s.values.push_back(static_cast<float>(sign * (100 * k + t)));
  }
  return s;
}

struct Pass {
  std::vector<Values> labels, lengths;  // of each batch
  double padding = 0;                   // steps
};

Pass pass_of(BucketLoader& loader) {
  Pass pass;
  for (const auto& [inputs, lengths, labels] : loader) {
    pass.labels.push_back(labels.to_vector());
    pass.lengths.push_back(lengths.to_vector());
    for (const double length : pass.lengths.back())
      pass.padding += static_cast<double>(inputs.size(1)) - length;
  }
  return pass;
}

TEST(BucketLoader, PadsEachBatchToItsLongestSequence) {
  const Sequences set = make_sequences(23);
  for (const DType dtype : {DType::f32, DType::f64}) {
    BucketLoader loader(set,
                        {.batch_size = 5, .bucket_batches = 2, .shuffle = true, .dtype = dtype});
    std::int64_t batches = 0;
    for (const auto& [inputs, lengths, labels] : loader) {
      ++batches;
      const auto n = inputs.size(0), steps = inputs.size(1);
      EXPECT_EQ(inputs.dtype(), dtype);
      ASSERT_EQ(inputs.shape(), (Shape{n, steps, 2}));
      ASSERT_EQ(lengths.shape(), Shape{n});
      ASSERT_EQ(labels.shape(), Shape{n});
      EXPECT_EQ(std::ranges::max(lengths.values<std::int64_t>()), steps);
      const Values numbers = inputs.to_vector();
      for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t k = labels.values<std::int64_t>()[static_cast<std::size_t>(i)];
        const std::int64_t length = lengths.values<std::int64_t>()[static_cast<std::size_t>(i)];
        EXPECT_EQ(length, set.lengths[static_cast<std::size_t>(k)]);
        for (std::int64_t t = 0; t < steps; ++t) {
          const auto at = static_cast<std::size_t>((i * steps + t) * 2);
          const double expected = t < length ? static_cast<double>(100 * k + t) : 0;
          EXPECT_EQ(numbers[at], expected);
          EXPECT_EQ(numbers[at + 1], -expected);
        }
      }
    }
    EXPECT_EQ(batches, 5);
    EXPECT_EQ(loader.size(), 5);
  }
}

TEST(BucketLoader, EverySequenceComesOnceAndOneBatchMayBeSmaller) {
  for (const std::int64_t count : {1, 7, 100, 103})
    for (const std::int64_t batch_size : {1, 4, 200})
      for (const std::int64_t bucket_batches :
           {std::int64_t{1}, std::int64_t{3}, std::numeric_limits<std::int64_t>::max()})
        for (const bool shuffle : {false, true}) {
          const Sequences set = make_sequences(count);
          BucketLoader loader(
              set,
              {.batch_size = batch_size, .bucket_batches = bucket_batches, .shuffle = shuffle});
          std::vector<std::int64_t> seen;
          std::int64_t smaller = 0;
          for (const Values& labels : pass_of(loader).labels) {
            smaller += static_cast<std::int64_t>(labels.size()) < batch_size;
            for (const double label : labels) seen.push_back(static_cast<std::int64_t>(label));
          }
          EXPECT_LE(smaller, 1);
          std::ranges::sort(seen);
          EXPECT_EQ(seen, set.labels);
        }
}

TEST(BucketLoader, WastesNoMoreThanPromised) {
  const Sequences set = make_sequences(4000);
  const auto padding = [&](std::int64_t bucket_batches) {
    BucketLoader loader(set, {.batch_size = 20, .bucket_batches = bucket_batches, .shuffle = true});
    return pass_of(loader).padding / 4000;  // of a sequence
  };
  // The shortest has 3 steps, the longest 50, and 4000 is a whole number of buckets.
  for (const std::int64_t bucket_batches : {2, 10, 50, 200})
    EXPECT_LE(padding(bucket_batches), 47.0 / static_cast<double>(bucket_batches));
  // Batches at random: the largest of 20 is nearly 50, the mean 26.5.
  EXPECT_GT(padding(1), 18);
}

TEST(BucketLoader, ShufflesSequencesAndBatchesAfreshAndReproducibly) {
  const Sequences set = make_sequences(200);
  const auto passes = [&](std::uint64_t seed, Rng rng) {
    Generator generator(seed, rng);
    BucketLoader loader(
        set, {.batch_size = 5, .bucket_batches = 8, .shuffle = true, .generator = &generator});
    const auto first = pass_of(loader).labels;
    return std::pair(first, pass_of(loader).labels);
  };
  for (const Rng rng : {Rng::native, Rng::torch}) {
    const auto [first, second] = passes(1, rng);
    EXPECT_EQ(passes(1, rng), std::pair(first, second));
    EXPECT_NE(passes(2, rng).first, first);
    EXPECT_NE(first, second);
    // The batches differ, not only their order.
    const std::set<Values> one(first.begin(), first.end()), other(second.begin(), second.end());
    EXPECT_NE(one, other);
  }
  // The batches of a bucket do not come in the order of their lengths.
  Generator generator(1);
  BucketLoader loader(set, {.batch_size = 5, .shuffle = true, .generator = &generator});
  const Pass pass = pass_of(loader);
  EXPECT_FALSE(std::ranges::is_sorted(pass.lengths, {}, [](const Values& v) { return v.back(); }));
}

TEST(BucketLoader, WithoutShufflingTheOrderIsThatOfLengthsInEachBucket) {
  Sequences set;
  set.lengths = {4, 2, 4, 1, 3, 3, 1};
  set.values.resize(18);
  set.labels = {0, 1, 2, 3, 4, 5, 6};
  BucketLoader loader(set, {.batch_size = 2, .bucket_batches = 2});
  const Pass pass = pass_of(loader);
  EXPECT_EQ(pass.labels, (std::vector<Values>{{3, 1}, {0, 2}, {6, 4}, {5}}));
  EXPECT_EQ(pass.padding, 1 + 0 + 2 + 0);
}

// A bucket loader draws as many numbers as a loader of images, so the rest of a run stays the same.
TEST(BucketLoader, APassDrawsWhatAPassOfLoaderDraws) {
  const Sequences set = make_sequences(10);
  Generator generator(3, Rng::torch), by_hand(3, Rng::torch);
  BucketLoader shuffled(set, {.shuffle = true, .generator = &generator});
  pass_of(shuffled);
  BucketLoader in_order(set, {.generator = &generator});
  pass_of(in_order);
  for (int draw = 0; draw < 3; ++draw) by_hand.random_i64();
  EXPECT_EQ(generator.next_u64(), by_hand.next_u64());
}

TEST(BucketLoader, GoesOnBehindABatch) {
  const Sequences set = make_sequences(103);
  for (const Rng rng : {Rng::native, Rng::torch})
    for (const bool shuffle : {false, true})
      for (int batches = 1; batches <= 24; ++batches) {
        const auto options = [&](Generator& generator) {
          return BucketOptions{
              .batch_size = 10, .bucket_batches = 3, .shuffle = shuffle, .generator = &generator};
        };
        const auto next = [](BucketLoader& loader, BucketLoader::Iterator& at) {
          ++at;
          if (!(at != loader.end())) at = loader.begin();
          return *at;
        };
        Generator first(5, rng);
        BucketLoader whole(set, options(first));
        BucketLoader::Iterator at = whole.begin();
        for (int i = 1; i < batches; ++i) next(whole, at);

        Generator second(6, rng);
        second.load_state(first.state());
        BucketLoader resumed(set, options(second));
        BucketLoader::Iterator there = resumed.resume(whole.position(at));
        EXPECT_EQ((*there).labels.to_vector(), (*at).labels.to_vector());
        for (int i = 0; i < 15; ++i) {
          const PaddedBatch a = next(whole, at), b = next(resumed, there);
          EXPECT_EQ(a.labels.to_vector(), b.labels.to_vector());
          EXPECT_EQ(a.inputs.to_vector(), b.inputs.to_vector());
        }
      }
}

TEST(BucketLoader, APlaceWithoutABatchIsRefused) {
  const Sequences set = make_sequences(11);
  BucketLoader loader(set, {.batch_size = 3});
  EXPECT_EQ(error_of<ValueError>([&] {
              loader.resume({0, 5});
            }),
            "[bucket loader] batch 5, expected 0 to 4, the batches of a pass");
  EXPECT_THROW(loader.resume({0, -1}), ValueError);
}

// Two passes over the same sequences at once don't disturb each other.
TEST(BucketLoader, ACopyGoesOnByItself) {
  const Sequences set = make_sequences(20);
  BucketLoader loader(set, {.batch_size = 4});
  const Pass whole = pass_of(loader);
  BucketLoader copy = loader;
  BucketLoader::Iterator at = copy.begin();
  pass_of(loader);
  ++at;
  EXPECT_EQ((*at).labels.to_vector(), whole.labels[1]);
}

/// Three sequences of one feature with 2, 1 and 3 steps: 10 k + t at step t of sequence k.
Sequences three_sequences() {
  Sequences s;
  s.lengths = {2, 1, 3};
  s.values = {0, 1, 10, 20, 21, 22};
  return s;
}

TEST(BucketLoader, GivesTheNumbersOfEachSequence) {
  Sequences set = three_sequences();
  set.target_size = 2;
  set.targets = {0.5, -0.5, 1.5, -1.5, 2.5, -2.5};
  for (const DType dtype : {DType::f32, DType::f64}) {
    BucketLoader loader(set, {.batch_size = 2, .dtype = dtype});  // sequences 1 and 0, then 2
    std::vector<Values> targets;
    for (const auto& [inputs, lengths, of_batch] : loader) {
      EXPECT_EQ(of_batch.dtype(), dtype);
      EXPECT_EQ(of_batch.shape(), (Shape{inputs.size(0), 2}));
      targets.push_back(of_batch.to_vector());
    }
    EXPECT_EQ(targets, (std::vector<Values>{{1.5, -1.5, 0.5, -0.5}, {2.5, -2.5}}));
  }
}

TEST(BucketLoader, GivesTheNumbersOfEachStepWithZerosPastTheEnd) {
  Sequences set = three_sequences();
  set.every_step = true;
  set.targets = {100, 101, 110, 120, 121, 122};
  BucketLoader loader(set, {.batch_size = 3});  // sequences 1, 0, 2
  const PaddedBatch batch = *loader.begin();
  EXPECT_EQ(batch.lengths.to_vector(), (Values{1, 2, 3}));
  EXPECT_EQ(batch.inputs.to_vector(), (Values{10, 0, 0, 0, 1, 0, 20, 21, 22}));
  EXPECT_EQ(batch.labels.shape(), (Shape{3, 3, 1}));
  EXPECT_EQ(batch.labels.to_vector(), (Values{110, 0, 0, 100, 101, 0, 120, 121, 122}));
}

TEST(BucketLoader, GivesTheLabelOfEachStepAndMarksWhatIsPastTheEnd) {
  Sequences set = three_sequences();
  set.every_step = true;
  set.labels = {0, 1, 10, 20, 21, 22};
  BucketLoader loader(set, {.batch_size = 3});  // sequences 1, 0, 2
  const Tensor labels = (*loader.begin()).labels;
  EXPECT_EQ(labels.dtype(), DType::i64);
  EXPECT_EQ(labels.shape(), (Shape{3, 3}));
  EXPECT_EQ(labels.to_vector(), (Values{10, -100, -100, 0, 1, -100, 20, 21, 22}));
  set.labels.pop_back();
  EXPECT_EQ(error_of<ShapeError>([&] { loader.begin(); }),
            "[bucket loader] 6 steps have 5 labels, expected one each");
}

TEST(BucketLoader, RefusesTargetsThatDoNotFit) {
  const auto refused = [&]<class E>(E*, auto&& change) {
    Sequences bad = three_sequences();
    bad.targets = {1, 2, 3};
    change(bad);
    return error_of<E>([&] { const BucketLoader loader(bad); });
  };
  constexpr ValueError* kValue = nullptr;
  constexpr ShapeError* kShape = nullptr;
  EXPECT_EQ(refused(kShape, [](Sequences& s) { s.targets.pop_back(); }),
            "[bucket loader] 2 targets, expected 1 for each of 3 sequences");
  EXPECT_EQ(refused(kShape, [](Sequences& s) { s.target_size = 2; }),
            "[bucket loader] 3 targets, expected 2 for each of 3 sequences");
  EXPECT_EQ(refused(kShape, [](Sequences& s) { s.every_step = true; }),
            "[bucket loader] 3 targets, expected 1 for each of 6 steps");
  EXPECT_EQ(refused(kValue, [](Sequences& s) { s.target_size = 0; }),
            "[bucket loader] target_size 0, expected at least 1");
  EXPECT_EQ(refused(kValue,
                    [](Sequences& s) {
                      s.labels = {0, 1, 2};
                    }),
            "[bucket loader] the sequences have labels and targets, expected one of both");
}

TEST(BucketLoader, RefusesWhatDoesNotFit) {
  const Sequences set = make_sequences(3);
  EXPECT_EQ(error_of<ValueError>([&] { BucketLoader(set, {.batch_size = 0}); }),
            "[bucket loader] batch_size 0, expected at least 1");
  EXPECT_EQ(error_of<ValueError>([&] { BucketLoader(set, {.bucket_batches = 0}); }),
            "[bucket loader] bucket_batches 0, expected at least 1");
  const Sequences none;
  EXPECT_EQ(error_of<ValueError>([&] { const BucketLoader loader(none); }),
            "[bucket loader] there are no sequences");
  const auto refused = [&]<class E>(E*, auto&& change) {
    Sequences bad = set;
    change(bad);
    return error_of<E>([&] { const BucketLoader loader(bad); });
  };
  constexpr ValueError* kValue = nullptr;
  constexpr ShapeError* kShape = nullptr;
  EXPECT_EQ(refused(kValue, [](Sequences& s) { s.lengths[1] = 0; }),
            "[bucket loader] sequence 1 has length 0, expected at least 1");
  EXPECT_EQ(refused(kValue, [](Sequences& s) { s.features = 0; }),
            "[bucket loader] features 0, expected at least 1");
  EXPECT_EQ(refused(kShape, [](Sequences& s) { s.labels.pop_back(); }),
            "[bucket loader] 3 sequences have 2 labels, expected one each");
  for (const std::int64_t length : {std::int64_t{1000}, std::numeric_limits<std::int64_t>::max()})
    EXPECT_NE(refused(kShape, [&](Sequences& s) { s.lengths[0] = length; }).find("steps are left"),
              std::string::npos);
  EXPECT_NE(refused(kShape, [](Sequences& s) { s.values.push_back(0); }).find("of 2 features"),
            std::string::npos);
}

}  // namespace
}  // namespace unroll::data
