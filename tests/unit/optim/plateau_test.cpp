#include "unroll/optim/plateau.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/expect_error.h"
#include "unroll/core/error.h"

namespace unroll::optim {
namespace {

using test::error_of;
using Options = ReduceLrOnPlateauOptions;
using Values = std::vector<double>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Values factors(const Options& options, const Values& metrics) {
  ReduceLrOnPlateau plateau(options);
  Values all;
  for (const double metric : metrics) all.push_back(plateau.step(metric));
  return all;
}

TEST(Plateau, ReducesAfterMoreThanPatience) {
  EXPECT_EQ(factors({.factor = 0.5, .patience = 2}, {1, 1, 1, 1, 1, 1, 1}),
            (Values{1, 1, 1, 0.5, 0.5, 0.5, 0.25}));
  EXPECT_EQ(factors({.factor = 0.5, .patience = 0}, {1, 1, 0.5, 0.6}), (Values{1, 0.5, 0.5, 0.25}));
}

TEST(Plateau, ImprovementStartsTheCountAgain) {
  EXPECT_EQ(factors({.factor = 0.5, .patience = 1}, {1, 2, 0.9, 2, 0.8, 0.8, 0.8}),
            (Values{1, 1, 1, 1, 1, 1, 0.5}));
}

TEST(Plateau, ThresholdIsAShareOrAnAmount) {
  using enum Options::ThresholdMode;
  const auto one = [](Options::Mode mode, Options::ThresholdMode kind, double next) {
    return factors(
        {.mode = mode, .factor = 0.5, .patience = 0, .threshold = 0.5, .threshold_mode = kind},
        {8, next})[1];
  };
  using enum Options::Mode;
  EXPECT_EQ(one(min, rel, 3.9), 1);
  EXPECT_EQ(one(min, rel, 4), 0.5);
  EXPECT_EQ(one(min, abs, 7.4), 1);
  EXPECT_EQ(one(min, abs, 7.5), 0.5);
  EXPECT_EQ(one(max, rel, 12.1), 1);
  EXPECT_EQ(one(max, rel, 12), 0.5);
  EXPECT_EQ(one(max, abs, 8.6), 1);
  EXPECT_EQ(one(max, abs, 8.5), 0.5);
}

// A slow improvement is measured from the best that counted.
TEST(Plateau, BestOnlyMovesByMoreThanTheThreshold) {
  EXPECT_EQ(factors({.factor = 0.5, .patience = 1, .threshold = 0.1}, {1, 0.95, 0.91, 0.87}),
            (Values{1, 1, 0.5, 0.5}));
}

TEST(Plateau, CooldownCountsForNothing) {
  EXPECT_EQ(factors({.factor = 0.5, .patience = 0, .cooldown = 2}, {1, 1, 1, 1, 1, 1}),
            (Values{1, 0.5, 0.5, 0.5, 0.25, 0.25}));
}

TEST(Plateau, EndsAtMinFactor) {
  EXPECT_EQ(factors({.factor = 0.5, .patience = 0, .min_factor = 0.4}, {1, 1, 1, 1}),
            (Values{1, 0.5, 0.4, 0.4}));
}

TEST(Plateau, NanIsNeverBetter) {
  using enum Options::Mode;
  for (const auto mode : {min, max})
    EXPECT_EQ(factors({.mode = mode, .factor = 0.5, .patience = 0}, {1, kNan}), (Values{1, 0.5}));
}

TEST(Plateau, StateGoesOnWhereItWas) {
  const Options options{.factor = 0.5, .patience = 1, .cooldown = 1};
  const Values metrics{3, 3, 3, 3, 2, 2, 2, 2, 1};
  const Values whole = factors(options, metrics);
  for (std::size_t cut = 0; cut < metrics.size(); ++cut) {
    ReduceLrOnPlateau before(options), after(options);
    for (std::size_t i = 0; i < cut; ++i) before.step(metrics[i]);
    after.load_state(before.state());
    for (std::size_t i = cut; i < metrics.size(); ++i)
      EXPECT_EQ(after.step(metrics[i]), whole[i]) << cut << " " << i;
  }
}

TEST(Plateau, OptionsHaveRanges) {
  const auto refused = [](const Options& options) {
    EXPECT_THROW(ReduceLrOnPlateau{options}, ValueError);
  };
  for (const double bad : {kNan, -0.1, 1.0, 2.0}) {
    refused({.factor = bad});
    refused({.min_factor = bad});
  }
  for (const double bad : {kNan, -0.1, kInfinity}) refused({.threshold = bad});
  refused({.patience = -1});
  refused({.cooldown = -1});
  EXPECT_EQ(error_of<ValueError>([] { ReduceLrOnPlateau({.patience = -1}); }),
            "[reduce_lr_on_plateau] patience = -1, expected 0 <= patience < inf");
}

}  // namespace
}  // namespace unroll::optim
