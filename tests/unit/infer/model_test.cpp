#include "unroll/infer/model.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"
#include "train/classifier.h"
#include "train/model_file.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/core/error.h"
#include "unroll/core/threads.h"

namespace unroll::infer {
namespace {

using test::error_of;

spec::ModelSpec make_spec(std::int64_t layers, Nonlinearity nonlinearity, bool bias = true) {
  spec::ModelSpec spec;
  spec.input_size = 5;
  spec.hidden_size = 13;
  spec.num_layers = layers;
  spec.bias = bias;
  spec.nonlinearity = nonlinearity;
  spec.outputs = 3;
  return spec;
}

/// A model in training and the same model compiled for running.
template <class T>
struct Both {
  Generator generator{11};
  spec::ModelSpec spec;
  train::Classifier module;
  Model<T> model;

  explicit Both(const spec::ModelSpec& s)
      : spec(s),
        module(s, DTypeOf<T>::value, generator),
        model(s, train::views_of(module.parameters())) {}

  std::vector<T> run(std::span<const T> input, std::size_t batch, std::size_t steps) const {
    std::vector<T> logits(batch * 3);
    model.run(input, batch, steps, logits);
    return logits;
  }
};

template <class T>
struct InferModel : testing::Test {
  const spec::ModelSpec specs[5] = {
      make_spec(1, Nonlinearity::relu), make_spec(2, Nonlinearity::relu),
      make_spec(1, Nonlinearity::tanh), make_spec(3, Nonlinearity::tanh),
      make_spec(2, Nonlinearity::relu, false)};
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(InferModel, Types);

// 300 sequences are more than the model takes at a time.
TYPED_TEST(InferModel, RunHasTheBitsOfTheModule) {
  const NoGrad no_grad;
  for (const spec::ModelSpec& spec : this->specs) {
    const Both<TypeParam> both(spec);
    for (const std::int64_t batch : {1, 7, 300})
      for (const std::int64_t steps : {1, 2, 9}) {
        const Tensor x = test::random_tensor({batch, steps, 5}, DTypeOf<TypeParam>::value, 1);
        const Tensor expected = both.module(x);
        const auto got = both.run(x.values<TypeParam>(), static_cast<std::size_t>(batch),
                                  static_cast<std::size_t>(steps));
        EXPECT_EQ(test::bits_of(Tensor::from(got, {batch, 3})), test::bits_of(expected))
            << batch << " sequences of " << steps;
      }
  }
}

TYPED_TEST(InferModel, StreamHasTheBitsOfRunOnEveryPrefix) {
  for (const spec::ModelSpec& spec : this->specs) {
    const Both<TypeParam> both(spec);
    const Tensor x = test::random_tensor({8, 5}, DTypeOf<TypeParam>::value, 2);
    const auto rows = x.values<TypeParam>();
    Stream<TypeParam> stream = both.model.stream();
    std::vector<TypeParam> logits(3), first;
    for (std::size_t t = 0; t < 8; ++t) {
      stream.step(rows.subspan(5 * t, 5), logits);
      EXPECT_EQ(logits, both.run(rows.first(5 * (t + 1)), 1, t + 1)) << "after step " << t + 1;
      if (t == 0) first = logits;
    }
    EXPECT_NE(logits, first);
    stream.reset();
    for (const TypeParam h : stream.state()) EXPECT_EQ(h, 0);
    stream.step(rows.first(5), logits);
    EXPECT_EQ(logits, first);
  }
}

TYPED_TEST(InferModel, ACopiedStreamGoesItsOwnWay) {
  const Both<TypeParam> both(this->specs[1]);
  const Tensor x = test::random_tensor({3, 5}, DTypeOf<TypeParam>::value, 3);
  const auto rows = x.values<TypeParam>();
  std::vector<TypeParam> logits(3), branched(3);
  Stream<TypeParam> stream = both.model.stream();
  stream.step(rows.first(5), logits);
  Stream<TypeParam> branch = stream;
  branch.step(rows.subspan(10, 5), branched);
  stream.step(rows.subspan(5, 5), logits);
  EXPECT_EQ(logits, both.run(rows.first(10), 1, 2));
  std::vector<TypeParam> other(rows.begin(), rows.begin() + 5);
  other.insert(other.end(), rows.begin() + 10, rows.end());
  EXPECT_EQ(branched, both.run(other, 1, 2));
}

TYPED_TEST(InferModel, RunDoesNotDependOnTheNumberOfThreads) {
  const Both<TypeParam> both(this->specs[3]);
  const Tensor x = test::random_tensor({300, 4, 5}, DTypeOf<TypeParam>::value, 4);
  set_num_threads(1);
  const auto one = both.run(x.values<TypeParam>(), 300, 4);
  set_num_threads(3);
  EXPECT_EQ(both.run(x.values<TypeParam>(), 300, 4), one);
  set_num_threads(0);
}

TYPED_TEST(InferModel, SizesThatDoNotFitAreErrors) {
  const Both<TypeParam> both(this->specs[0]);
  std::vector<TypeParam> input(20), logits(6);
  const std::span<const TypeParam> in = input;
  const std::span<TypeParam> out = logits;
  EXPECT_NO_THROW(both.model.run(in, 2, 2, out));
  EXPECT_EQ(error_of<ShapeError>([&] { both.model.run(in.first(19), 2, 2, out); }),
            "[infer] 19 inputs and room for 6 logits given for 2 sequences of 2 steps, expected 20 "
            "and 6");
  EXPECT_THROW(both.model.run(in, 2, 2, out.first(5)), ShapeError);
  EXPECT_THROW(both.model.run(in.first(0), 2, 0, out), ShapeError);
  EXPECT_NO_THROW(both.model.run(in.first(0), 0, 2, out.first(0)));
  Stream<TypeParam> stream = both.model.stream();
  EXPECT_EQ(error_of<ShapeError>([&] { stream.step(in.first(4), out.first(3)); }),
            "[infer] 4 inputs given, the model reads 5 a step");
  EXPECT_EQ(error_of<ShapeError>([&] { stream.logits(out); }),
            "[infer] room for 6 logits given, the model has 3");
  EXPECT_THROW(stream.step(in.first(5), out), ShapeError);
}

// What was stored in one type runs in the other.
TEST(InferLoad, ConvertsWeights) {
  Both<float> narrow(make_spec(2, Nonlinearity::relu));
  const Parameters parameters = narrow.module.parameters();
  const Model<double> wide(narrow.spec, train::views_of(parameters));
  const std::vector<float> input(15, 0.5f);
  std::vector<float> got(3);
  std::vector<double> expected(3);
  narrow.model.run(input, 1, 3, got);
  wide.run(std::vector<double>(15, 0.5), 1, 3, expected);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(got[i], expected[i], 1e-6);
}

TEST(InferLoad, ReadsWhatTrainingSaved) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "model.safetensors";
  Both<double> both(make_spec(2, Nonlinearity::tanh));
  train::save_model(path, both.spec, both.module.parameters());
  const Model<double> loaded = Model<double>::load(path);
  EXPECT_EQ(loaded.description(), both.spec);
  const std::vector<double> input(10, 0.25);
  std::vector<double> logits(3);
  loaded.run(input, 1, 2, logits);
  EXPECT_EQ(logits, both.run(input, 1, 2));
}

TEST(InferLoad, RefusesDataThatDoesNotFillItsShape) {
  const std::vector<float> one(1);
  const io::ArrayView weight{
      "rnn.weight_ih_l0", io::ElementType::f32, {64, 64}, std::as_bytes(std::span(one))};
  EXPECT_EQ(error_of<FormatError>([&] { Model<float>(spec::ModelSpec{}, std::span(&weight, 1)); }),
            "[model] rnn.weight_ih_l0 has 4 bytes, its shape needs 16384");
  const io::ArrayView huge{"rnn.weight_ih_l0",
                           io::ElementType::f32,
                           {std::int64_t{1} << 62, 4},
                           {}};  // 2^66 bytes wrap around to 0
  EXPECT_TRUE(error_of<FormatError>([&] {
                Model<float>(spec::ModelSpec{}, std::span(&huge, 1));
              }).starts_with("[model] rnn.weight_ih_l0 has 0 bytes"));
}

TEST(InferLoad, RefusesABareStateDictAndWrongWeights) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "model.safetensors";
  Both<float> both(make_spec(1, Nonlinearity::relu));
  io::write_safetensors(path, train::views_of(both.module.parameters()));
  const std::string bare = error_of<FormatError>([&] { Model<float>::load(path); });
  EXPECT_NE(bare.find(path), std::string::npos) << bare;
  EXPECT_NE(bare.find("no description"), std::string::npos) << bare;
  EXPECT_THROW(Model<float>::load(folder / "none"), FileError);
  spec::ModelSpec larger = both.spec;
  larger.hidden_size = 14;
  larger.num_layers = 2;
  const auto views = train::views_of(both.module.parameters());
  const std::string all = error_of<FormatError>([&] { Model<float>(larger, views); });
  for (const char* part : {"rnn.weight_ih_l0 has shape [13, 5], expected [14, 5]",
                           "rnn.weight_hh_l1 is missing", "fc.weight"})
    EXPECT_NE(all.find(part), std::string::npos) << part << " in " << all;
}

}  // namespace
}  // namespace unroll::infer
