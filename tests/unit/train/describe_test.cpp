#include "train/describe.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "nn/model_file.h"
#include "support/expect_error.h"
#include "support/sources.h"
#include "support/specs.h"
#include "support/temporary_folder.h"
#include "train/network.h"
#include "unroll/core/error.h"
#include "unroll/infer/model.h"

namespace unroll::train {
namespace {

using Kind = data::TargetSpec::Kind;

data::Dataset mnist_like() {
  data::Dataset set;
  set.name = "made up";
  set.count = 100;
  set.rows = set.columns = 28;
  return set;
}

/// A set without pixels: a description does not depend on them.
class Shaped : public data::Source {
 public:
  Shaped(const Config& config, data::Dataset set) : set_(std::move(set)) {
    input_ = source_options(config).images.input;
    input_.height = set_.rows;
    input_.width = set_.columns;
  }
  std::string name() const override { return set_.name; }
  spec::InputSpec input() const override { return input_; }
  data::TargetSpec target() const override { return {.size = set_.classes}; }
  std::int64_t size(data::Split part) const override {
    return part == data::Split::validation ? 0 : set_.count;
  }
  void batch(data::Split, std::span<const data::Pick>, DType, data::Examples&) const override {}
  std::string sizes_text() const override { return {}; }

 private:
  data::Dataset set_;
  spec::ImageInput input_;
};

spec::ModelSpec describe(const Config& c, const data::Dataset& set = mnist_like()) {
  return train::describe(c, Shaped(c, set));
}

TEST(Describe, TheChaptersModels) {
  using enum ModelKind;
  spec::ModelSpec spec = describe(recipe("tutorial", logistic));
  EXPECT_EQ(std::get<spec::ImageInput>(spec.input).form, spec::Form::flat);
  EXPECT_EQ(spec.layers, std::vector<spec::LayerSpec>{(spec::LinearSpec{"linear", 784, 10})});
  EXPECT_EQ(spec.output, spec::Output::logits);
  spec = describe(recipe("tutorial", linear));
  EXPECT_EQ(spec.layers, std::vector<spec::LayerSpec>{(spec::LinearSpec{"linear", 784, 10})});
  EXPECT_EQ(spec.output, spec::Output::scores);

  spec = describe(recipe("tutorial", fnn));
  const std::vector<spec::LayerSpec> perceptron = {spec::LinearSpec{"fc1", 784, 100},
                                                   spec::ActivationSpec{spec::Activation::relu},
                                                   spec::LinearSpec{"fc2", 100, 10}};
  EXPECT_EQ(spec.layers, perceptron);

  spec = describe(recipe("tutorial", cnn));
  EXPECT_EQ(std::get<spec::ImageInput>(spec.input).form, spec::Form::image);
  const spec::Conv2dSpec cnn1{
      .name = "cnn1", .in_channels = 1, .out_channels = 16, .kernel = {5, 5}, .padding = {2, 2}},
      cnn2{.name = "cnn2",
           .in_channels = 16,
           .out_channels = 32,
           .kernel = {5, 5},
           .padding = {2, 2}};
  const spec::MaxPool2dSpec pool{.kernel = {2, 2}, .stride = {2, 2}};
  const spec::ActivationSpec relu{};
  const std::vector<spec::LayerSpec> convolutions = {
      cnn1, relu, pool, cnn2, relu, pool, spec::FlattenSpec{}, spec::LinearSpec{"fc1", 1568, 10}};
  EXPECT_EQ(spec.layers, convolutions);

  spec = describe(recipe("tutorial"));
  EXPECT_EQ(spec.layers, test::rnn_spec(28, 100, 10).layers);
  EXPECT_EQ(spec.input, spec::InputSpec(spec::ImageInput{.height = 28, .width = 28}));
  EXPECT_EQ(spec.dataset, "made up");
}

TEST(Describe, TakesEverySetting) {
  Config c = recipe("tuned", ModelKind::lstm);
  c.hidden = 20;
  c.layers = 2;
  c.input = spec::Form::pixels;
  c.permute = 5;
  c.readout = spec::Readout::mean_last;
  c.bidirectional = c.layer_norm = c.learn_initial_state = true;
  c.zoneout_h = 0.25;
  c.zoneout_c = 0.125;
  c.proj_size = 7;
  const spec::ModelSpec spec = describe(c);
  const spec::RecurrentSpec expected{.name = "lstm",
                                     .cell = spec::Cell::lstm,
                                     .input_size = 1,
                                     .hidden_size = 20,
                                     .num_layers = 2,
                                     .proj_size = 7,
                                     .bidirectional = true,
                                     .layer_norm = true,
                                     .zoneout_h = 0.25,
                                     .zoneout_c = 0.125,
                                     .learn_initial_state = true,
                                     .readout = spec::Readout::mean_last};
  EXPECT_EQ(spec.layers, test::recurrent_spec(expected, 10).layers);
  EXPECT_EQ(spec.input,
            spec::InputSpec(spec::ImageInput{spec::Form::pixels, 28, 28, 5, 0.1307, 0.3081}));
}

// The module's parameters have the names in the description, in the same order.
TEST(Network, OfARecipeHasTheWeightsOfItsDescription) {
  std::vector<spec::ModelSpec> specs;
  using enum ModelKind;
  for (const ModelKind model : {logistic, linear, fnn, cnn, rnn, lstm, gru}) {
    Config c = recipe("tuned", model);
    if (is_recurrent(model)) {
      c.layers = 2;
      c.bidirectional = c.layer_norm = c.learn_initial_state = true;
      c.proj_size = model == lstm ? 9 : 0;
    }
    specs.push_back(describe(c));
  }
  for (const spec::ModelSpec& spec : specs) {
    Generator generator(1);
    Network model(spec, generator, {.dtype = DType::f64, .dropout = 0.25});
    std::vector<std::pair<std::string, spec::Sizes>> made;
    for (const Parameter& p : model.parameters()) {
      made.emplace_back(p.name, spec::Sizes(p.value.shape().begin(), p.value.shape().end()));
      EXPECT_EQ(p.value.dtype(), DType::f64);
    }
    EXPECT_EQ(made, spec::weights_of(spec));
  }
}

// Dropout only acts in training, and not on the first layer's input.
TEST(Network, DropsWhatLaterLayersRead) {
  const spec::ModelSpec spec = describe(recipe("tuned", ModelKind::fnn));
  Generator generator(1);
  Network model(spec, generator, {.dropout = 0.5});
  const Tensor x = Tensor::full({2, 784}, 0.5);
  const auto first = model(x).to_vector(), second = model(x).to_vector();
  EXPECT_NE(first, second);
  model.eval();
  EXPECT_EQ(model(x).to_vector(), model(x).to_vector());
  Generator again(1);
  Network alone(describe(recipe("tuned", ModelKind::logistic)), again, {.dropout = 0.5});
  EXPECT_EQ(alone(x).to_vector(), alone(x).to_vector());
}

// Numbers leave the model in the unit of the targets, and training and inference agree.
TEST(Describe, ValuesLeaveTheModelInTheirUnit) {
  Config c = recipe("tuned", {.dataset = "adding"});
  c.hidden = 4;
  for (const Kind kind : {Kind::values, Kind::step_values}) {
    data::TargetSpec target{.kind = kind, .size = 2, .names = {"power", "heat"}};
    target.mean = {100, -3};
    target.std = {4, 0.5};
    const spec::ModelSpec spec = describe(c, spec::SeriesInput{.features = 3}, target);
    EXPECT_EQ(spec.output, spec::Output::values);
    EXPECT_EQ(spec.layers.back(), spec::LayerSpec(spec::ScaleSpec{{-25, 6}, {0.25, 2}}));
    EXPECT_EQ(std::get<spec::RecurrentSpec>(spec.layers[0]).readout == spec::Readout::every_step,
              kind == Kind::step_values);

    Generator generator(1);
    Network network(spec, generator, {.dtype = DType::f64});
    const Tensor x = Tensor::zeros({1, 2, 3}, DType::f64);
    const std::vector<double> out = network(x).to_vector();
    spec::ModelSpec inner = spec;
    inner.layers.pop_back();
    Generator again(1);
    const std::vector<double> z = Network(inner, again, {.dtype = DType::f64})(x).to_vector();
    ASSERT_EQ(out.size(), z.size());
    for (std::size_t i = 0; i < out.size(); ++i)
      EXPECT_NEAR(out[i], i % 2 == 0 ? 100 + 4 * z[i] : -3 + 0.5 * z[i], 1e-12);
    const infer::Model<double> model(spec, nn::views_of(network.parameters()));
    std::vector<double> answer(out.size());
    model.run(x.values<double>(), 1, 2, answer);
    for (std::size_t i = 0; i < out.size(); ++i) EXPECT_NEAR(answer[i], out[i], 1e-12);
  }
}

TEST(Describe, AWordHasAVectorOfItsOwnSize) {
  Config c = recipe("tuned", {.dataset = "words.csv", .task = data::Task::label});
  const auto sizes = [&] {
    const spec::ModelSpec spec =
        describe(c, spec::TokenInput{.tokens = 50}, {.kind = Kind::step_classes, .size = 3});
    return std::pair(std::get<spec::EmbeddingSpec>(spec.layers[0]).embedding_dim,
                     std::get<spec::RecurrentSpec>(spec.layers[1]).input_size);
  };
  EXPECT_EQ(sizes(), std::pair(c.hidden, c.hidden));
  c.embedding = 7;
  EXPECT_EQ(sizes(), std::pair(std::int64_t{7}, std::int64_t{7}));
}

TEST(Describe, AConvolutionReadsTheSeriesFirst) {
  Config c = recipe("tuned", {.dataset = "watch.csv"});
  c.conv_channels = 6;
  c.conv_kernel = 9;
  c.conv_stride = 4;
  const spec::InputSpec input = spec::SeriesInput{.features = 3};
  const spec::ModelSpec spec = describe(c, input, {.size = 2});
  EXPECT_EQ(spec.layers[0], spec::LayerSpec(spec::Conv1dSpec{
                                .name = "conv",
                                .in_channels = 3,
                                .out_channels = 6,
                                .windows = {.kernel = 9, .stride = 4, .causal = true}}));
  EXPECT_EQ(spec.layers[1], spec::LayerSpec(spec::ActivationSpec{spec::Activation::relu}));
  EXPECT_EQ(std::get<spec::RecurrentSpec>(spec.layers[2]).input_size, 6);
  EXPECT_EQ(test::error_of<ValueError>(
                [&] { describe(c, input, {.kind = Kind::step_classes, .size = 2}); }),
            "[conv-stride] 4, expected 1: the data has an answer at every time step");
  c.conv_stride = 1;
  describe(c, input, {.kind = Kind::step_classes, .size = 2});
  c.tbptt = 5;
  c.bidirectional = false;
  c.readout = spec::Readout::last;
  EXPECT_EQ(
      test::error_of<ValueError>([&] { describe(c, input, {.size = 2}); }),
      "[tbptt] a convolution (--conv-channels) reads steps of the chunk before; leave --tbptt "
      "or that out");
}

TEST(Describe, TheLogarithmComesBeforeTheScaling) {
  Config c = recipe("tuned", {.dataset = "watch.csv"});
  c.conv_channels = 0;
  c.log = true;
  const spec::ModelSpec spec =
      describe(c, spec::SeriesInput{.features = 2, .mean = {1, 2}, .std = {3, 4}}, {.size = 2});
  EXPECT_EQ(spec.input, spec::InputSpec(spec::SeriesInput{.features = 2}));
  EXPECT_EQ(spec.layers[0], spec::LayerSpec(spec::ActivationSpec{spec::Activation::symlog}));
  EXPECT_EQ(spec.layers[1], spec::LayerSpec(spec::ScaleSpec{{1, 2}, {3, 4}}));
  const spec::ModelSpec unscaled = describe(c, spec::SeriesInput{.features = 2}, {.size = 2});
  EXPECT_TRUE(std::holds_alternative<spec::RecurrentSpec>(unscaled.layers[1]));
  EXPECT_EQ(
      test::error_of<ValueError>([&] { describe(c, spec::TokenInput{.tokens = 9}, {.size = 2}); }),
      "[log] the data has no numbers to take the logarithm of");
}

TEST(Describe, WhatCouldNotBeHeldIsRefused) {
  const auto refused = [](const Config& c, const data::Dataset& set, const std::string& part) {
    const std::string text = test::error_of<ValueError>([&] { describe(c, set); });
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  Config c = recipe("tuned", ModelKind::lstm);
  c.input = spec::Form::pixels;
  c.hidden = 4096;
  refused(c, mnist_like(), "[batch-size] 100 images at once");
  refused(c, mnist_like(), "use a smaller batch, a smaller --rows-at-once, or more --shards");
  c.rows_at_once = 30;
  EXPECT_NO_THROW(describe(c, mnist_like()));
  c.hidden = 8192;
  c.layers = 2;
  refused(c, mnist_like(), "[batch-size] 25 images at once");
  c.rows_at_once = 0;
  c.layers = 1;
  c = recipe("tuned", ModelKind::cnn);
  data::Dataset tiny = mnist_like();
  tiny.rows = tiny.columns = 3;
  refused(c, tiny,
          "[layers] 2 of --layers shrink images of 3x3 to nothing, because each halves them; use "
          "fewer, such as --layers 1");
  c = recipe("tuned", ModelKind::fnn);
  c.hidden = 1 << 16;
  data::Dataset large = mnist_like();
  large.count = 1;
  large.rows = large.columns = 1 << 10;
  refused(c, large, "[hidden] 65536");
}

TEST(Settled, TheNumberOfSeriesLimitsTheSteps) {
  const auto steps = [](std::int64_t series, std::int64_t batch_size, const char* validate) {
    std::string table = "name,x,class\n";
    for (std::int64_t i = 0; i < series; ++i) table += fmt::format("s{},0,{}\n", i, i % 2);
    const test::TemporaryFolder folder;
    folder.write("t.csv", table);
    Config c = recipe("tuned", {.dataset = folder / "t.csv", .task = data::Task::classify});
    c.task = data::Task::classify;
    c.series = "name";
    c.target = {"class"};
    c.test = "0.5";
    c.validate = validate;
    c.batch_size = batch_size;
    EXPECT_EQ(c.steps, 0);
    return settled(c, *test::source(c)).steps;
  };
  EXPECT_EQ(steps(40, 10, "none"), 200 * 2);  // 20 series for training
  EXPECT_EQ(steps(42, 10, "none"), 200 * 3);  // the last batch is short
  EXPECT_EQ(steps(400, 10, "none"), 2000);
  EXPECT_EQ(steps(40, 10, "0.2"), 2000);  // its patience ends the run
}

}  // namespace
}  // namespace unroll::train
