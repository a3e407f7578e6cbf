#include "app/result_text.h"

#include <gtest/gtest.h>

namespace unroll::app {
namespace {

using Lines = std::vector<std::string>;

train::Evaluation detailed(std::vector<train::Metric> metrics,
                           std::vector<train::Baseline> baselines) {
  train::Evaluation e{.metrics = std::move(metrics), .baselines = std::move(baselines)};
  e.detailed = true;
  return e;
}

const train::Metric accuracy{
    .name = "accuracy", .value = 100.0 * 124 / 142, .unit = "%", .correct = 124, .total = 142};

// 95 % interval: statsmodels' proportion_confint(124, 142, method='wilson').
TEST(ResultText, HasTheIntervalAndTheBaseline) {
  const train::Evaluation e = detailed({accuracy, {.name = "macro-F1", .value = 0.8712}},
                                       {{"most frequent class", "accuracy", 14.286}});
  EXPECT_EQ(result_lines(e), (Lines{"Test accuracy: 87.32 % (124 of 142; 95 % interval 80.9 to "
                                    "91.8), macro-F1 0.8712; most frequent class 14.29 %"}));
  EXPECT_EQ(first_result(e), "test accuracy 87.32 %");
}

TEST(ResultText, SaysWhenASimplePredictionIsAsGood) {
  train::Evaluation e = detailed(
      {{.name = "RMSE", .value = 0.05, .larger_is_better = false},
       {.name = "mean absolute error", .value = 0.02, .larger_is_better = false}},
      {{"training mean", "RMSE", 0.0416}, {"training median", "mean absolute error", 0.02}});
  e.part = data::Split::validation;
  EXPECT_EQ(result_lines(e),
            (Lines{"Validation RMSE: 0.05, mean absolute error 0.02; training mean 0.0416, "
                   "training median 0.02 (mean absolute error)",
                   "By its RMSE, the model is WORSE than always answering the training mean.",
                   "By its mean absolute error, the model is no better than always answering the "
                   "training median."}));
}

TEST(ResultText, WholeSeriesAreALineOfTheirOwn) {
  const train::Evaluation e =
      detailed({accuracy,
                {.name = "accuracy of series", .value = 50, .unit = "%", .correct = 1, .total = 2}},
               {{"each word's most frequent class", "accuracy", 90},
                {"most frequent class", "accuracy of series", 25}});
  EXPECT_EQ(result_lines(e, " after step 3"),
            (Lines{"Test accuracy after step 3: 87.32 % (124 of 142; 95 % interval 80.9 to 91.8); "
                   "each word's most frequent class 90.00 %",
                   "Test accuracy of series after step 3: 50.00 % (1 of 2; 95 % interval 9.5 to "
                   "90.5); most frequent class 25.00 %",
                   "By its accuracy, the model is WORSE than always answering each word's most "
                   "frequent class."}));
}

TEST(ResultText, OfOtherDataIsALineForEachNumber) {
  train::Evaluation e{.loss = 0.5, .loss_name = "cross-entropy", .metrics = {accuracy}};
  EXPECT_EQ(result_lines(e, "", " (fake)"),
            (Lines{"Test accuracy: 87.32 % (124 of 142 correct) (fake)",
                   "Test cross-entropy: 0.500000"}));
  e.confusion.emplace(2);
  EXPECT_EQ(result_lines(e).size(), 1u);
}

}  // namespace
}  // namespace unroll::app
