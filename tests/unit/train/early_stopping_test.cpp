#include "train/early_stopping.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "unroll/tensor/tensor.h"

namespace unroll::train {
namespace {

/// The number of the evaluation after which it stops, 0 if it does not. Evaluation k comes after
/// step 10 k, with weights k.
int stops_after(EarlyStopping& stopping, const std::vector<double>& losses) {
  int number = 0;
  for (const double loss : losses) {
    ++number;
    stopping.add({.step = 10 * number}, loss, Tensor::full({3}, number));
    if (stopping.stops()) return number;
  }
  return 0;
}

TEST(EarlyStopping, StopsAfterSoManyEvaluationsWithoutALowerLoss) {
  EarlyStopping two(2);
  EXPECT_EQ(stops_after(two, {5, 4, 4.5, 3, 3.5, 3.2, 1}), 6);
  EXPECT_EQ(two.best().step, 40);
  EXPECT_EQ(two.state().loss, 3);
  EXPECT_EQ(two.weights().to_vector(), std::vector<double>(3, 4));

  EarlyStopping three(3);
  EXPECT_EQ(stops_after(three, {5, 4, 4.5, 3, 3.5, 3.2, 1}), 0);
  EXPECT_EQ(three.best().step, 70);
}

TEST(EarlyStopping, TheFirstOfEqualLossesIsTheBest) {
  EarlyStopping stopping(3);
  EXPECT_EQ(stops_after(stopping, {2, 2, 2, 2}), 4);
  EXPECT_EQ(stopping.best().step, 10);
}

TEST(EarlyStopping, WithoutPatienceItOnlyKeepsTheBest) {
  EarlyStopping stopping(0);
  EXPECT_EQ(stops_after(stopping, {1, 2, 3, 4, 5, 6}), 0);
  EXPECT_EQ(stopping.best().step, 10);
}

TEST(EarlyStopping, NanAndInfinityAreNeverTheBest) {
  EarlyStopping stopping(4);
  EXPECT_EQ(stops_after(stopping, {NAN, NAN, HUGE_VAL}), 0);
  EXPECT_FALSE(stopping.has_best());
  EXPECT_EQ(stops_after(stopping, {NAN}), 1);
  EXPECT_FALSE(stopping.has_best());

  EarlyStopping other(3);
  EXPECT_EQ(stops_after(other, {2, NAN, 1, NAN}), 0);
  EXPECT_EQ(other.best().step, 30);
}

TEST(EarlyStopping, GoesOnFromItsState) {
  EarlyStopping first(2);
  stops_after(first, {3, 4});
  EarlyStopping second(2);
  second.load(first.state(), first.weights());
  second.add({.step = 30}, 5, Tensor::full({3}, 3));
  EXPECT_TRUE(second.stops());
  EXPECT_EQ(second.best().step, 10);
  EXPECT_EQ(second.weights().to_vector(), std::vector<double>(3, 1));
}

}  // namespace
}  // namespace unroll::train
