#include "unroll/data/sequence_tasks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "support/expect_error.h"
#include "support/tensors.h"
#include "unroll/core/error.h"
#include "unroll/core/threads.h"
#include "unroll/nn/loss.h"

namespace unroll::data {
namespace {

using test::bits_of;
using test::error_of;
using Values = std::vector<double>;

/// Pearson's statistic of counts that should all be equal. With a chance of 1 in 10^4 it is above
/// 68.1 for 32 counts, 33.7 for 10 and 29.9 for 8.
double chi_square(const std::vector<int>& counts) {
  double total = 0, result = 0;
  for (const int count : counts) total += count;
  const double expected = total / static_cast<double>(counts.size());
  for (const int count : counts) result += (count - expected) * (count - expected) / expected;
  return result;
}

/// Sequence i of (N, T, I) as (T, I).
Values sequence(const Tensor& inputs, std::int64_t i) {
  return inputs.select(0, i).contiguous().to_vector();
}

TEST(Adding, MarksOneNumberOfEachHalfAndAddsThemUp) {
  for (const std::int64_t length : {2, 3, 7, 100, 601}) {
    const auto [inputs, targets] = adding({.length = length, .seed = 3}, 50, 40);
    ASSERT_EQ(inputs.shape(), (Shape{40, length, 2}));
    ASSERT_EQ(targets.shape(), (Shape{40, 1}));
    for (std::int64_t i = 0; i < 40; ++i) {
      const Values numbers = sequence(inputs, i);
      std::vector<std::int64_t> marks;
      float sum = 0;
      for (std::int64_t t = 0; t < length; ++t) {
        const double number = numbers[static_cast<std::size_t>(2 * t)];
        const double mark = numbers[static_cast<std::size_t>(2 * t + 1)];
        EXPECT_GE(number, 0);
        EXPECT_LT(number, 1);
        if (mark == 0) continue;
        EXPECT_EQ(mark, 1);
        marks.push_back(t);
        sum += static_cast<float>(number);
      }
      ASSERT_EQ(marks.size(), 2u);
      EXPECT_LT(marks[0], length / 2);
      EXPECT_GE(marks[1], length / 2);
      EXPECT_EQ(targets.values<float>()[static_cast<std::size_t>(i)], sum);
    }
  }
}

TEST(Adding, NumbersAndPlacesAreUniform) {
  constexpr std::int64_t kLength = 20, kCount = 5000;
  const auto [inputs, targets] = adding({.length = kLength, .seed = 1}, 0, kCount);
  std::vector<int> numbers(32), first(kLength / 2), second(kLength / 2);
  const auto x = inputs.values<float>();
  for (std::size_t i = 0; i < x.size(); i += 2) {
    ++numbers[static_cast<std::size_t>(x[i] * 32)];
    const std::size_t t = i / 2 % kLength;
    if (x[i + 1] == 1) ++(t < 10 ? first[t] : second[t - 10]);
  }
  EXPECT_LT(chi_square(numbers), 68.1);
  EXPECT_LT(chi_square(first), 33.7);
  EXPECT_LT(chi_square(second), 33.7);
  // Two uniform numbers: mean 1, variance 2 / 12.
  double sum = 0, squares = 0;
  for (const double target : targets.to_vector()) {
    sum += target;
    squares += (target - 1) * (target - 1);
  }
  EXPECT_NEAR(sum / kCount, 1, 4 * std::sqrt(1.0 / 6 / kCount));
  EXPECT_NEAR(squares / kCount, 1.0 / 6, 0.01);
}

TEST(Copy, IsTenSymbolsBlanksTheDelimiterAndTheirRecall) {
  for (const std::int64_t length : {1, 5, 100}) {
    const auto [inputs, targets] = copying({.length = length, .seed = 9}, 7, 30);
    const std::int64_t steps = length + 20;
    ASSERT_EQ(inputs.shape(), (Shape{30, steps, 10}));
    ASSERT_EQ(targets.shape(), (Shape{30, steps}));
    for (std::int64_t i = 0; i < 30; ++i) {
      const Values one_hot = sequence(inputs, i);
      const Values expected = sequence(targets, i);
      std::vector<int> symbols;
      for (std::int64_t t = 0; t < steps; ++t) {
        const auto step = one_hot.begin() + t * 10;
        ASSERT_EQ(std::count(step, step + 10, 1.0), 1);
        ASSERT_EQ(std::count(step, step + 10, 0.0), 9);
        symbols.push_back(static_cast<int>(std::find(step, step + 10, 1.0) - step));
      }
      for (std::int64_t t = 0; t < steps; ++t) {
        const int symbol = symbols[static_cast<std::size_t>(t)];
        if (t < 10)
          EXPECT_LT(symbol, 8);
        else
          EXPECT_EQ(symbol, t == length + 9 ? 9 : 8) << t;
        EXPECT_EQ(expected[static_cast<std::size_t>(t)],
                  t < length + 10 ? -100 : symbols[static_cast<std::size_t>(t - length - 10)]);
      }
    }
  }
}

TEST(Copy, SymbolsAreUniformAtEveryPlace) {
  const auto targets = copying({.length = 1, .seed = 4}, 0, 8000).targets;
  for (std::int64_t place = 11; place < 21; ++place) {
    std::vector<int> counts(8);
    for (const double symbol : targets.select(1, place).contiguous().to_vector())
      ++counts[static_cast<std::size_t>(symbol)];
    EXPECT_LT(chi_square(counts), 29.9) << place;
  }
}

TEST(Copy, GuessingCostsTheLogarithmOfEight) {
  const auto targets = copying({.length = 30}, 0, 5).targets;
  const Tensor guess = Tensor::zeros({5 * 50, copy_symbols}, DType::f64);
  EXPECT_NEAR(nn::cross_entropy(guess, targets.view({-1})).item(), std::log(8.0), 1e-12);
}

using MakeTask = SequenceBatch (*)(const SequenceTask&, std::int64_t, std::int64_t);

TEST(SequenceTask, ASequenceDependsOnItsNumberAlone) {
  for (const MakeTask task : {&adding, &copying}) {
    const SequenceTask which{.length = 13, .seed = 5};
    const std::int64_t start = std::int64_t{1} << 40;
    set_num_threads(1);
    const auto all = task(which, start, 101);
    set_num_threads(3);
    const auto same = task(which, start, 101);
    set_num_threads(0);
    EXPECT_EQ(bits_of(all.inputs), bits_of(same.inputs));
    EXPECT_EQ(bits_of(all.targets), bits_of(same.targets));
    for (const std::int64_t i : {0, 17, 100}) {
      const auto one = task(which, start + i, 1);
      EXPECT_EQ(one.inputs.to_vector(), sequence(all.inputs, i));
      EXPECT_EQ(one.targets.to_vector(), sequence(all.targets, i));
    }
  }
}

TEST(SequenceTask, OtherSeedsSplitsTasksAndNumbersGiveOtherSequences) {
  for (const MakeTask task : {&adding, &copying}) {
    std::set<Values> seen;
    std::size_t made = 0;
    for (const std::uint64_t seed : {0ull, 1ull, 1ull << 32, ~0ull})
      for (const Split split : {Split::train, Split::test})
        for (const std::int64_t first :
             {std::int64_t{0}, std::int64_t{20}, std::int64_t{1} << 32}) {
          const auto batch = task({.length = 10, .seed = seed, .split = split}, first, 20);
          for (std::int64_t i = 0; i < 20; ++i) {
            seen.insert(sequence(batch.inputs, i));
            ++made;
          }
        }
    EXPECT_EQ(seen.size(), made);
  }
}

TEST(SequenceTask, F64IsF32Widened) {
  for (const MakeTask task : {&adding, &copying}) {
    const auto narrow = task({.length = 11, .dtype = DType::f32}, 3, 9);
    const auto wide = task({.length = 11, .dtype = DType::f64}, 3, 9);
    EXPECT_EQ(wide.inputs.dtype(), DType::f64);
    EXPECT_EQ(narrow.inputs.to_vector(), wide.inputs.to_vector());
  }
}

TEST(SequenceTask, RefusesWhatIsOutOfRange) {
  EXPECT_EQ(error_of<ValueError>([] { adding({.length = 1}, 0, 1); }),
            "[adding] length 1, expected 2 to 1048576");
  EXPECT_EQ(error_of<ValueError>([] { copying({.length = 0}, 0, 1); }),
            "[copy] length 0, expected 1 to 1048576");
  EXPECT_EQ(error_of<ValueError>([] { adding({}, -1, 1); }),
            "[adding] first sequence -1, expected at least 0");
  EXPECT_EQ(error_of<ValueError>([] { adding({}, 0, 0); }),
            "[adding] count 0, expected 1 to 10737418 sequences of this length");
  EXPECT_THROW(copying({.length = 1 << 20}, 0, 1000), ValueError);
  EXPECT_THROW(copying({.length = std::int64_t{1} << 62}, 0, 1), ValueError);
  EXPECT_THROW(adding({.dtype = DType::i64}, 0, 1), Error);
}

}  // namespace
}  // namespace unroll::data
