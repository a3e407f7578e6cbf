// save() and load(): what a C++ program trained, in a file that infer::Model and the program run.
#include "unroll/nn/save.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"
#include "unroll/infer/model.h"
#include "unroll/io/safetensors.h"
#include "unroll/nn/conv2d.h"
#include "unroll/nn/dropout.h"
#include "unroll/nn/gru.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/lstm.h"
#include "unroll/nn/readout.h"
#include "unroll/nn/rnn.h"

namespace unroll::nn {
namespace {

using test::error_of;

/// What a saved model gives for x, (N, T, I) or (N, I), in the model's own arithmetic.
template <class T>
std::vector<T> run(const std::string& path, const Tensor& x, std::size_t outputs) {
  const auto model = infer::Model<T>::load(path);
  std::vector<T> out(outputs);
  model.run(x.values<T>(), static_cast<std::size_t>(x.size(0)),
            x.rank() == 3 ? static_cast<std::size_t>(x.size(1)) : 1, std::span<T>(out));
  return out;
}

void expect_same(const std::vector<float>& got, const Tensor& expected) {
  const auto values = expected.to_vector();
  ASSERT_EQ(got.size(), values.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], values[i], 1e-6) << i;
}

/// A user's model: forward is what `Read` says of the recurrent layer's output.
template <class Layer, class Read>
struct Net : Module {
  Layer rnn;
  Dropout drop;
  Linear fc;
  Read read;
  Net(const typename Layer::Options& options, std::int64_t features, Read r)
      : rnn(child("rnn"), 5, 8, options),
        drop(child("drop"), 0.5),
        fc(child("fc"), features, 3),
        read(r) {}
  Tensor forward(const Tensor& x) { return fc(drop(read(rnn(x)))); }
};

template <class Layer, class Read>
spec::ModelSpec saved_as(const typename Layer::Options& options, std::int64_t features, Read read) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  manual_seed(3);
  Net<Layer, Read> net(options, features, read);
  const Saved saved = save(net, path);
  EXPECT_TRUE(saved.runnable) << saved.reason;
  EXPECT_EQ(saved.reason, "");
  EXPECT_TRUE(net.is_training() && net.drop.is_training());
  net.eval();
  const Tensor x = test::random_tensor({4, 7, 5}, DType::f32, 1);
  const Tensor y = net.forward(options.batch_first ? x : x.transpose(0, 1).contiguous());
  expect_same(run<float>(path, x, static_cast<std::size_t>(y.numel())),
              y.rank() == 3 && !options.batch_first ? y.transpose(0, 1).contiguous() : y);
  return infer::Model<float>::load(path).description();
}

const auto last = [](const auto& result) { return result.output.select(1, -1); };

TEST(Trial16, TheTutorialsModelRunsEverywhere) {
  const auto spec = saved_as<Rnn>(
      {.num_layers = 2, .nonlinearity = Nonlinearity::relu, .batch_first = true}, 8, last);
  const auto& rnn = std::get<spec::RecurrentSpec>(spec.layers.at(0));
  EXPECT_EQ(rnn.readout, spec::Readout::last);
  EXPECT_EQ(rnn.nonlinearity, Nonlinearity::relu);
  EXPECT_EQ(rnn.num_layers, 2);
  EXPECT_EQ(spec.layers.size(), 2u);
  EXPECT_EQ(spec.input, spec::InputSpec(spec::SeriesInput{.features = 5}));
}

TEST(Trial16, WhatIsReadOutIsFoundByRunningForward) {
  const auto readout_of = [](const spec::ModelSpec& spec) {
    return std::get<spec::RecurrentSpec>(spec.layers.at(0)).readout;
  };
  const BatchLayout batch_first{.batch_first = true};
  const auto reader = [&](Readout kind) {
    return [=](const auto& r) { return readout(r.output, kind, batch_first); };
  };
  EXPECT_EQ(readout_of(saved_as<Lstm>({.batch_first = true}, 8, last)), spec::Readout::last);
  EXPECT_EQ(readout_of(saved_as<Gru>({.batch_first = true}, 8, reader(Readout::mean))),
            spec::Readout::mean);
  EXPECT_EQ(readout_of(saved_as<Gru>({.batch_first = true}, 8, reader(Readout::max))),
            spec::Readout::max);
  EXPECT_EQ(readout_of(saved_as<Lstm>({.batch_first = true}, 16, reader(Readout::mean_last))),
            spec::Readout::mean_last);
  EXPECT_EQ(readout_of(saved_as<Lstm>({.batch_first = true}, 8, reader(Readout::every_step))),
            spec::Readout::every_step);
  // (T, N, I), the last states of both directions.
  const auto ends = [](const auto& r) { return cat(r.h_n.select(0, -2), r.h_n.select(0, -1), 1); };
  EXPECT_EQ(readout_of(saved_as<Gru>({.bidirectional = true}, 16, ends)), spec::Readout::last);
}

TEST(Trial16, WhatNoDescriptionGivesIsSavedAsWeightsAlone) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  const auto refused = [&](auto read, std::int64_t features = 8) {
    Net<Lstm, decltype(read)> net({.batch_first = true}, features, read);
    const Saved saved = save(net, path);
    EXPECT_FALSE(saved.runnable);
    const auto file = io::Safetensors::read(path);
    EXPECT_TRUE(file.metadata().empty());
    EXPECT_EQ(file.arrays().size(), 6u);
    EXPECT_THROW(infer::Model<float>::load(path), FormatError);
    Net<Lstm, decltype(read)> again({.batch_first = true}, features, read);
    load(again, path);
    EXPECT_EQ(again.fc.weight.to_vector(), net.fc.weight.to_vector());
    return saved.reason;
  };
  const std::string other =
      "no description of these layers, in the order of their construction, gives the outputs of "
      "forward(); to "
      "have one, give save() the whole description";
  EXPECT_EQ(refused([](const auto& r) { return relu(r.output.select(1, -1)); }), other);
  EXPECT_EQ(refused([](const auto& r) { return r.output.select(1, 0); }), other);
  EXPECT_EQ(refused([](const auto& r) { return r.output.select(1, -1) * 1.001; }), other);
  // The last of the first length that is tried, but of no other.
  EXPECT_EQ(refused([](const auto& r) { return r.output.select(1, 4); }), other);
  EXPECT_NE(refused([](const auto& r) { return r.output.select(1, 27); }).find("select"),
            std::string::npos);
}

TEST(Trial16, WeightsThatTellNothingApartAreNoReasonToGuess) {
  const test::TemporaryFolder folder;
  Net<Gru, decltype(last)> net({.batch_first = true}, 8, last);
  for (const Parameter& p : net.parameters())
    if (p.name.starts_with("fc")) std::ranges::fill(p.value.values<float>(), 0.0f);
  const Saved saved = save(net, folder / "m.safetensors");
  EXPECT_FALSE(saved.runnable);
  EXPECT_NE(saved.reason.find("descriptions give the outputs of forward()"), std::string::npos);
}

TEST(Trial16, OtherLayersAndModelsWithoutForwardAreNamed) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  struct WithConv : Module {
    Conv2d conv;
    WithConv() : conv(child("conv"), 1, 2, {3, 3}) {}
    Tensor forward(const Tensor& x) { return conv(x); }
  } with_conv;
  EXPECT_EQ(save(with_conv, path).reason,
            "the layer \"conv\" is not an Rnn, Lstm, Gru, Linear or Dropout; to have one, give "
            "save() the whole description");
  Lstm alone(3, 4);
  EXPECT_EQ(save(alone, path).reason,
            "the model has no forward() or operator() from a Tensor to a Tensor; to have one, give "
            "save() the whole description");
  EXPECT_EQ(io::Safetensors::read(path).arrays().size(), 4u);
  struct LeftOut : Module {
    Linear fc{3, 4};
    Tensor operator()(const Tensor& x) { return fc(x); }
  } left_out;
  EXPECT_THROW(save(left_out, path), ValueError);  // nothing to write
}

/// fc1, a function, fc2.
struct Mlp : Module {
  Linear fc1, fc2;
  explicit Mlp(DType dtype = DType::f32)
      : fc1(child("fc1"), 6, 9, {.dtype = dtype}), fc2(child("fc2"), 9, 4, {.dtype = dtype}) {}
  Tensor operator()(const Tensor& x) const { return fc2(tanh(fc1(x))); }
};

TEST(Trial16, FunctionsBetweenLinearLayersAreFound) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  Mlp model;
  EXPECT_TRUE(save(model, path).runnable);
  const Tensor x = test::random_tensor({5, 6}, DType::f32, 2);
  expect_same(run<float>(path, x, 20), model(x));
  EXPECT_EQ(
      std::get<spec::ActivationSpec>(infer::Model<float>::load(path).description().layers.at(1))
          .function,
      spec::Activation::tanh);
  Mlp wide(DType::f64);
  EXPECT_TRUE(save(wide, path).runnable);
  const Tensor xd = x.to(DType::f64);
  EXPECT_EQ(run<double>(path, xd, 20), wide(xd).to_vector());
  load(model, path);  // f64 to f32
  EXPECT_EQ(model.fc1.weight.to_vector(), wide.fc1.weight.to(DType::f32).to_vector());
}

TEST(Trial16, WhatGoesInAndTheWholeDescriptionMayBeGiven) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  Net<Rnn, decltype(last)> net({.batch_first = true}, 8, last);
  const spec::InputSpec images =
      spec::ImageInput{.height = 6, .width = 5, .mean = 0.1307, .std = 0.3081};
  EXPECT_TRUE(save(net, path, {.input = images, .dataset = "mine"}).runnable);
  auto spec = infer::Model<float>::load(path).description();
  EXPECT_EQ(spec.input, images);
  EXPECT_EQ(spec.dataset, "mine");
  // Whatever forward says: a description is taken at its word.
  std::get<spec::RecurrentSpec>(spec.layers[0]).readout = spec::Readout::mean;
  EXPECT_TRUE(save(net, path, spec).runnable);
  EXPECT_EQ(infer::Model<float>::load(path).description(), spec);
  std::get<spec::LinearSpec>(spec.layers[1]).out_features = 4;
  EXPECT_EQ(error_of<FormatError>([&] { save(net, path, spec); }),
            "[save] " + path +
                ": the description does not fit the weights: fc.weight has shape [3, 8], expected "
                "[4, 8]; fc.bias has shape [3], expected [4]");
}

// forward() reads what is scaled already; the file's model scales by itself.
TEST(SaveScaling, IsPartOfTheDescriptionAndNotOfForward) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  Net<Rnn, decltype(last)> net({.batch_first = true}, 8, last);
  const std::vector<double> mean = {1, -2, 3, 0, 10}, std = {2, 4, 0.5, 1, 8};
  EXPECT_TRUE(save(net, path, {.input = spec::SeriesInput{.mean = mean, .std = std}}).runnable);
  EXPECT_EQ(infer::Model<float>::load(path).description().input,
            spec::InputSpec(spec::SeriesInput{.features = 5, .mean = mean, .std = std}));
  net.eval();
  const Tensor scaled = test::random_tensor({3, 4, 5}, DType::f32, 11), y = net.forward(scaled);
  std::vector<float> x;
  for (const double v : scaled.to_vector())
    x.push_back(static_cast<float>(v * std[x.size() % 5] + mean[x.size() % 5]));
  const auto got =
      run<float>(path, Tensor::from(x, {3, 4, 5}), static_cast<std::size_t>(y.numel()));
  const auto expected = y.to_vector();
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-5) << i;
}

TEST(Trial16, LoadNamesAllThatDoesNotFitAndChangesNothing) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  const std::vector<float> numbers(12, 0.5f);
  const auto bytes = [&](std::size_t count) {
    return std::as_bytes(std::span(numbers).first(count));
  };
  using io::ElementType;
  const std::vector<io::ArrayView> arrays{{"fc1.weight", ElementType::f32, {3, 4}, bytes(12)},
                                          {"fc2.bias", ElementType::f32, {4}, bytes(4)},
                                          {"deep", ElementType::f32, {1, 1, 1, 1, 1, 1}, bytes(1)},
                                          {"steps", ElementType::i32, {2}, bytes(2)}};
  io::write_safetensors(path, arrays);
  Mlp model;
  const auto before = model.fc2.bias.to_vector();
  EXPECT_EQ(
      error_of<FormatError>([&] { load(model, path); }),
      "[load] " + path +
          ": fc1.weight has shape [3, 4], expected [9, 6]; fc1.bias is missing; fc2.weight is "
          "missing; deep is not part of this model; steps is not part of this model");
  EXPECT_EQ(model.fc2.bias.to_vector(), before);

  Mlp broken;
  broken.fc2.bias.values<float>()[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(save(broken, path).runnable);  // no outputs to compare
  EXPECT_EQ(
      error_of<FormatError>([&] { load(model, path); }),
      "[load] " + path +
          ": fc2.bias has 1 weights that are NaN or infinite; train it again, or load it with "
          "allow_not_finite");
  load(model, path, true);
  EXPECT_TRUE(std::isnan(model.fc2.bias.to_vector()[1]));
  EXPECT_THROW(load(model, folder / "missing.safetensors"), FileError);
}

}  // namespace
}  // namespace unroll::nn
