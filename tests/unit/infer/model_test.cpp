#include "unroll/infer/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"
#include "support/trained.h"
#include "unit/infer/models.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/core/error.h"
#include "unroll/core/threads.h"
#include "unroll/infer/stream.h"

namespace unroll::infer {
namespace {

using test::Both;
using test::error_of;

template <class T>
std::vector<std::uint64_t> bits(const std::vector<T>& values) {
  return test::bits_of(Tensor::from(values, {static_cast<std::int64_t>(values.size())}));
}

/// What the module gives, and what the model does, must be the same bits.
template <class T>
void expect_the_modules_bits(const Both<T>& both, const Tensor& x, std::size_t steps) {
  const NoGrad no_grad;
  const auto batch = static_cast<std::size_t>(x.size(0));
  const Tensor expected = both.module(x).contiguous();
  EXPECT_EQ(bits(both.run(x.values<T>(), batch, steps)), test::bits_of(expected))
      << batch << " of " << steps << " steps";
}

class RecurrentModel : public testing::TestWithParam<Named> {};

template <class T>
void run_has_the_bits_of_the_module(const spec::ModelSpec& spec) {
  const Both<T> both(spec);
  for (const std::int64_t batch : {1, 7, 300})
    for (const std::int64_t steps : {1, 2, 9})
      expect_the_modules_bits(both, test::random_tensor({batch, steps, 5}, DTypeOf<T>::value, 1),
                              static_cast<std::size_t>(steps));
}

TEST_P(RecurrentModel, RunHasTheBitsOfTheModule) {
  run_has_the_bits_of_the_module<float>(GetParam().spec);
  run_has_the_bits_of_the_module<double>(GetParam().spec);
}

// More sequences than are taken at a time, and more steps than are taken at a time.
TEST_P(RecurrentModel, LongAndMany) {
  const Both<float> both(GetParam().spec);
  expect_the_modules_bits(both, test::random_tensor({1500, 3, 5}, DType::f32, 2), 3);
  expect_the_modules_bits(both, test::random_tensor({600, 80, 5}, DType::f32, 3), 80);
  if (!is_bidirectional(GetParam().spec))
    expect_the_modules_bits(both, test::random_tensor({1, 30'000, 5}, DType::f32, 4), 30'000);
}

/// Each sequence as it comes out alone, of its own length; zeros past the end.
template <class T>
void lengths_are_as_alone(const spec::ModelSpec& spec, std::size_t steps,
                          const std::vector<std::size_t>& lengths) {
  const Both<T> both(spec);
  const std::size_t batch = lengths.size();
  const Tensor x =
      test::random_tensor({static_cast<std::int64_t>(batch), static_cast<std::int64_t>(steps), 5},
                          DTypeOf<T>::value, 5);
  const auto values = x.values<T>();
  const std::vector<T> got = both.run(values, batch, steps, lengths);
  const std::size_t width = got.size() / batch;
  for (std::size_t n = 0; n < batch; ++n) {
    std::vector<T> alone = both.run(values.subspan(n * steps * 5, lengths[n] * 5), 1, lengths[n]);
    alone.resize(width);
    const auto first = got.begin() + static_cast<std::ptrdiff_t>(n * width);
    EXPECT_EQ(bits(std::vector<T>(first, first + static_cast<std::ptrdiff_t>(width))), bits(alone))
        << "sequence " << n << " of length " << lengths[n];
  }
}

TEST_P(RecurrentModel, LengthsInAnyOrder) {
  lengths_are_as_alone<float>(GetParam().spec, 9, {3, 9, 1, 1, 8, 9});
  lengths_are_as_alone<double>(GetParam().spec, 6, {6, 4, 4, 1});
  lengths_are_as_alone<float>(GetParam().spec, 4, {2});
  // Some end in a block that others go beyond.
  std::vector<std::size_t> many;
  for (std::size_t n = 0; n < 400; ++n) many.push_back(1 + n * 7919 % 100);
  lengths_are_as_alone<float>(GetParam().spec, 100, many);
}

TEST_P(RecurrentModel, DoesNotDependOnTheNumberOfThreads) {
  const Both<float> both(GetParam().spec);
  const Tensor x = test::random_tensor({300, 4, 5}, DType::f32, 6);
  set_num_threads(1);
  const auto one = both.run(x.values<float>(), 300, 4);
  set_num_threads(3);
  EXPECT_EQ(both.run(x.values<float>(), 300, 4), one);
  set_num_threads(0);
}

INSTANTIATE_TEST_SUITE_P(Infer, RecurrentModel, testing::ValuesIn(recurrent_models()),
                         [](const auto& model) { return model.param.name; });

class ImageModel : public testing::TestWithParam<Named> {};

template <class T>
void images_have_the_bits_of_the_module(const spec::ModelSpec& spec, int threads) {
  const Both<T> both(spec);
  set_num_threads(threads);
  for (const std::int64_t batch : {1, 5, 1300}) {
    const bool image = std::get<spec::ImageInput>(spec.input).form == spec::Form::image;
    expect_the_modules_bits(
        both,
        test::random_tensor(image ? Shape{batch, 1, 9, 8} : Shape{batch, 72}, DTypeOf<T>::value, 7),
        1);
  }
  set_num_threads(0);
}

TEST_P(ImageModel, RunHasTheBitsOfTheModule) {
  images_have_the_bits_of_the_module<float>(GetParam().spec, 3);
  images_have_the_bits_of_the_module<double>(GetParam().spec, 1);
}

TEST_P(ImageModel, ReadsNoSequences) {
  const Both<float> both(GetParam().spec);
  std::vector<float> input(144), out(3);
  EXPECT_EQ(error_of<ShapeError>([&] { both.model.run(input, 1, 2, out); }),
            "[infer] 144 inputs and room for 3 outputs given for 1 sequences of 2 steps, expected "
            "1 step, because the model reads no sequences");
  const std::size_t length = 1;
  const std::span<const float> one = std::span<const float>(input).first(72);
  EXPECT_THROW(both.model.run(one, 1, 1, out, std::span(&length, 1)), ShapeError);
  EXPECT_EQ(error_of<ValueError>([&] { both.model.stream(); }),
            "[stream] the model reads no sequences, so it has no steps; run it on whole inputs");
}

INSTANTIATE_TEST_SUITE_P(Infer, ImageModel, testing::ValuesIn(image_models()),
                         [](const auto& model) { return model.param.name; });

TEST(InferModel, SizesThatDoNotFitAreErrors) {
  const Both<double> both(test::rnn_spec(5, 13, 3));
  std::vector<double> input(20), logits(6);
  const std::span<const double> in = input;
  const std::span<double> out = logits;
  EXPECT_NO_THROW(both.model.run(in, 2, 2, out));
  EXPECT_EQ(
      error_of<ShapeError>([&] { both.model.run(in.first(19), 2, 2, out); }),
      "[infer] 19 inputs and room for 6 outputs given for 2 sequences of 2 steps, expected 20 "
      "and 6");
  EXPECT_THROW(both.model.run(in, 2, 2, out.first(5)), ShapeError);
  EXPECT_THROW(both.model.run(in.first(0), 2, 0, out), ShapeError);
  EXPECT_NO_THROW(both.model.run(in.first(0), 0, 2, out.first(0)));
  // Products that wrap around to what was given.
  const std::size_t huge = std::size_t{1} << 63;
  EXPECT_THROW(both.model.run(in.first(0), huge, 2, out.first(0)), ShapeError);
}

TEST(Trial13, SequencesOfNoStepsAreCalledThat) {
  const Both<double> both(test::rnn_spec(5, 13, 3));
  const std::vector<double> input(20);
  std::vector<double> logits(6);
  for (const std::size_t batch : {0, 1, 2}) {
    const auto says = error_of<ShapeError>([&] {
      both.model.run(std::span(input).first(0), batch, 0, std::span(logits).first(3 * batch));
    });
    EXPECT_EQ(says, "[infer] " + std::to_string(batch) + (batch == 1 ? " sequence" : " sequences") +
                        " of 0 steps given, expected at least 1 step");
  }
}

TEST(InferModel, LengthsThatDoNotFitAreErrors) {
  const Both<float> both(test::rnn_spec(5, 13, 3));
  const std::vector<float> input(20);
  std::vector<float> out(6);
  const auto refused = [&](std::vector<std::size_t> lengths) {
    return error_of<ShapeError>([&] { both.model.run(input, 2, 2, out, lengths); });
  };
  EXPECT_EQ(refused({2}), "[infer] 1 lengths given, expected 2: one for each sequence");
  EXPECT_EQ(refused({2, 0}), "[infer] sequence 1 has length 0, expected 1 to 2");
  EXPECT_EQ(refused({3, 1}), "[infer] sequence 0 has length 3, expected 1 to 2");
}

// What was stored in one type runs in the other.
TEST(InferLoad, ConvertsWeights) {
  Both<float> narrow(recurrent_models()[9].spec);
  const Parameters parameters = narrow.module.parameters();
  const Model<double> wide(narrow.spec, nn::views_of(parameters));
  const std::vector<float> input(15, 0.5f);
  std::vector<double> expected(3);
  const std::vector<float> got = narrow.run(input, 1, 3);
  wide.run(std::vector<double>(15, 0.5), 1, 3, expected);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(got[i], expected[i], 1e-5);
}

TEST(InferLoad, ReadsWhatTrainingSaved) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "model.safetensors";
  for (const Named& named : recurrent_models()) {
    SCOPED_TRACE(named.name);
    Both<double> both(named.spec);
    nn::save_model(path, both.spec, both.module.parameters());
    const Model<double> loaded = Model<double>::load(path);
    EXPECT_EQ(loaded.description(), both.spec);
    const std::vector<double> input(10, 0.25);
    std::vector<double> out(gives_sequences(named.spec) ? 6 : 3);
    loaded.run(input, 1, 2, out);
    EXPECT_EQ(out, both.run(input, 1, 2));
  }
}

TEST(InferLoad, RefusesDataThatDoesNotFillItsShape) {
  const spec::ModelSpec spec = test::rnn_spec(64, 64, 2);
  const std::vector<float> one(1);
  const io::ArrayView weight{
      "rnn.weight_ih_l0", io::ElementType::f32, {64, 64}, std::as_bytes(std::span(one))};
  EXPECT_EQ(error_of<FormatError>([&] { Model<float>(spec, std::span(&weight, 1)); }),
            "[model] rnn.weight_ih_l0 has 4 bytes, its shape needs 16384");
  const io::ArrayView huge{"rnn.weight_ih_l0",
                           io::ElementType::f32,
                           {std::int64_t{1} << 62, 4},
                           {}};  // 2^66 bytes wrap around to 0
  EXPECT_TRUE(error_of<FormatError>([&] {
                Model<float>(spec, std::span(&huge, 1));
              }).starts_with("[model] rnn.weight_ih_l0 has 0 bytes"));
  EXPECT_EQ(error_of<FormatError>([&] { Model<float>(spec::ModelSpec{}, {}); }),
            "[model] the model has 0 layers, expected 1 to 256");
}

TEST(InferLoad, RefusesABareStateDictAndWrongWeights) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "model.safetensors";
  Both<float> both(test::rnn_spec(5, 13, 3));
  io::write_safetensors(path, nn::views_of(both.module.parameters()));
  const std::string bare = error_of<FormatError>([&] { Model<float>::load(path); });
  EXPECT_NE(bare.find(path), std::string::npos) << bare;
  EXPECT_NE(bare.find("no description"), std::string::npos) << bare;
  EXPECT_THROW(Model<float>::load(folder / "none"), FileError);
  const auto views = nn::views_of(both.module.parameters());
  const std::string all =
      error_of<FormatError>([&] { Model<float>(test::rnn_spec(5, 14, 3, 2), views); });
  for (const char* part : {"rnn.weight_ih_l0 has shape [13, 5], expected [14, 5]",
                           "rnn.weight_hh_l1 is missing", "fc.weight"})
    EXPECT_NE(all.find(part), std::string::npos) << part << " in " << all;
}

TEST(Fault32, LoadRefusesWeightsThatAreNotFiniteUnlessAsked) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "model.safetensors";
  Both<float> both(test::rnn_spec(5, 13, 3));
  const Parameters parameters = both.module.parameters();
  std::ranges::copy(std::vector{1.0f, std::nanf(""), INFINITY},
                    Tensor(parameters.back().value).values<float>().begin());
  nn::save_model(path, both.spec, parameters);
  const std::string error = error_of<FormatError>([&] { Model<float>::load(path); });
  for (const char* part :
       {path.c_str(), "fc.bias has 2 weights that are NaN or infinite", "train it again"})
    EXPECT_NE(error.find(part), std::string::npos) << part << " in " << error;
  const Model<float> loaded = Model<float>::load(path, true);
  std::vector<float> out(3);
  loaded.run(std::vector<float>(5, 0.5f), 1, 1, out);
  EXPECT_TRUE(std::isfinite(out[0]));
  EXPECT_TRUE(std::isnan(out[1]));
}

}  // namespace
}  // namespace unroll::infer
