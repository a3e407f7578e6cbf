#include "train/initial_values.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "support/tensor_source.h"
#include "train/trainer.h"

namespace unroll::train {
namespace {

/// The first weights of a layer with a convolution before it.
std::vector<float> first_weights(InitialValues init, std::string_view name) {
  Config c = recipe("tuned", {.dataset = "watch.csv"});
  c.conv_channels = 4;
  c.hidden = 3;
  c.init = init;
  c.patience = 0;
  c.steps = 1;
  const test::TensorPart part{.inputs = Tensor::zeros({2, 9, 1}, DType::f64),
                              .targets = Tensor::zeros({2}, DType::i64),
                              .lengths = {9, 9}};
  const auto source = std::make_shared<test::TensorSource>(
      spec::SeriesInput{.features = 1}, data::TargetSpec{.size = 2},
      std::map<data::Split, test::TensorPart>{{data::Split::train, part},
                                              {data::Split::test, part}});
  Trainer trainer(c, source);
  for (const Parameter& p : trainer.parameters())
    if (p.name == name) {
      const auto values = p.value.values<float>();
      return {values.begin(), values.end()};
    }
  return {};
}

TEST(InitialValues, XavierAndKaimingFillTheConvolutionToo) {
  const std::vector<float> usual = first_weights(InitialValues::torch, "conv.weight");
  ASSERT_FALSE(usual.empty());
  EXPECT_NE(first_weights(InitialValues::xavier, "conv.weight"), usual);
  EXPECT_NE(first_weights(InitialValues::kaiming, "conv.weight"), usual);
}

}  // namespace
}  // namespace unroll::train
