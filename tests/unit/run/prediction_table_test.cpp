#include "run/prediction_table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/tensor_source.h"

namespace unroll::run {
namespace {

using data::Split;
using test::TensorSource;

/// The outputs are the inputs.
spec::ModelSpec identity(spec::InputSpec input, std::int64_t width, spec::Output output,
                         std::vector<std::string> names) {
  spec::ModelSpec spec;
  spec.input = std::move(input);
  spec.layers = {spec::LinearSpec{"fc", width, width, false}};
  spec.output = output;
  spec.classes = std::move(names);
  return spec;
}

template <class T>
infer::Model<T> model_of(const spec::ModelSpec& spec) {
  static const std::vector<float> unit = {1, 0, 0, 1};
  return infer::Model<T>(
      spec, std::vector<io::ArrayView>{
                {"fc.weight", io::ElementType::f32, {2, 2}, std::as_bytes(std::span(unit))}});
}

TEST(PredictionTable, OfClassesHasTheirProbabilities) {
  const spec::ModelSpec spec = identity(spec::VectorInput{.features = 2}, 2, spec::Output::logits,
                                        {"up, or \"on\"", "down"});
  // The softmax of (log 3, 0) is (3/4, 1/4).
  const Tensor inputs = Tensor::from(std::vector<double>{std::log(3.0), 0, 0, 0}, {2, 2});
  const Tensor targets = Tensor::from(std::vector<std::int64_t>{0, 1}, {2});
  const TensorSource source(spec.input, {.size = 2},
                            {{Split::test, {inputs, targets, {}, {}, {"a", "b\nc"}}}});
  EXPECT_EQ(prediction_table(model_of<double>(spec), source, Split::test),
            "series,predicted,\"up, or \"\"on\"\"\",down\n"
            "a,\"up, or \"\"on\"\"\",0.75,0.25\n"
            "\"b\nc\",\"up, or \"\"on\"\"\",0.5,0.5\n");
}

TEST(PredictionTable, OfNumbersHasTheirShortestText) {
  const spec::ModelSpec spec =
      identity(spec::VectorInput{.features = 2}, 2, spec::Output::values, {"power", "heat"});
  const Tensor inputs = Tensor::from(std::vector<double>{0.1, 1e-10, -2, 1.0 / 3}, {2, 2});
  const TensorSource source(spec.input, {.kind = data::TargetSpec::Kind::values, .size = 2},
                            {{Split::test, {inputs, inputs}}});
  EXPECT_EQ(prediction_table(model_of<float>(spec), source, Split::test),
            "series,power,heat\n1,0.1,1e-10\n2,-2,0.33333334\n");
}

// Padding after the end of a sequence is no step.
TEST(PredictionTable, OfEveryStepHasALineForEach) {
  spec::ModelSpec spec =
      identity(spec::SeriesInput{.features = 2}, 2, spec::Output::logits, {"no", "yes"});
  const Tensor inputs = Tensor::from(std::vector<double>{1, 2, 2, 1, 0, 1, 9, 0}, {2, 2, 2});
  const Tensor targets = Tensor::zeros({2, 2}, DType::i64);
  const TensorSource source(spec.input, {.kind = data::TargetSpec::Kind::step_classes, .size = 2},
                            {{Split::test, {inputs, targets, {2, 1}}}});
  EXPECT_EQ(prediction_table(model_of<float>(spec), source, Split::test),
            "series,step,predicted\n1,1,yes\n1,2,no\n2,1,yes\n");
}

TEST(PredictionTable, OfWindowsCountsThemInTheirSeries) {
  const spec::ModelSpec spec =
      identity(spec::VectorInput{.features = 2}, 2, spec::Output::values, {"a", "b"});
  const Tensor inputs = Tensor::from(std::vector<double>{1, 2, 3, 4, 5, 6}, {3, 2});
  const TensorSource source(spec.input, {.kind = data::TargetSpec::Kind::values, .size = 2},
                            {{Split::test, {inputs, inputs, {}, {0, 0, 1}, {"x", "y"}}}});
  EXPECT_EQ(prediction_table(model_of<float>(spec), source, Split::test),
            "series,window,a,b\nx,1,1,2\nx,2,3,4\ny,1,5,6\n");
}

}  // namespace
}  // namespace unroll::run
