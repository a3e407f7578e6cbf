#include "data/image_inputs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/expect_error.h"
#include "unroll/core/error.h"
#include "unroll/data/loader.h"

namespace unroll::data {
namespace {

/// Two images of 2 x 3.
Dataset make_set() {
  Dataset set;
  set.count = 2;
  set.rows = 2;
  set.columns = 3;
  for (std::uint8_t pixel = 0; pixel < 12; ++pixel) set.images.push_back(pixel);
  set.labels = {0, 1};
  return set;
}

spec::ImageInput input(spec::Form form, std::optional<std::uint64_t> permutation = {}) {
  return {form, 2, 3, permutation, 0, 1.0 / 255};  // pixels as they are
}

std::vector<float> filled(const ImageInputs& inputs) {
  std::vector<float> all(12);
  inputs.fill<float>(make_set(), 0, all);
  for (float& v : all) v = std::round(v);
  return all;
}

TEST(ImageInputs, ShapesOfEveryForm) {
  const Dataset set = make_set();
  Loader loader(set, {.batch_size = 2});
  const Tensor images = (*loader.begin()).images;
  const std::pair<spec::Form, Shape> expected[] = {{spec::Form::rows, {2, 2, 3}},
                                                   {spec::Form::pixels, {2, 6, 1}},
                                                   {spec::Form::flat, {2, 6}},
                                                   {spec::Form::image, {2, 1, 2, 3}}};
  for (const auto& [form, shape] : expected) {
    const ImageInputs inputs(input(form), 2, 3);
    EXPECT_EQ(inputs.of(images).shape(), shape) << shape.str();
    EXPECT_EQ(inputs.of(images).to_vector(), images.to_vector());
    EXPECT_EQ(filled(inputs), (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
    EXPECT_EQ(inputs.steps(), form == spec::Form::rows ? 2 : form == spec::Form::pixels ? 6 : 1);
    EXPECT_EQ(inputs.size(), 6);
  }
}

// One order for all images and for all three ways; another seed, another order.
TEST(ImageInputs, APermutationIsTheSameEverywhere) {
  const Dataset set = make_set();
  Loader loader(set, {.batch_size = 2, .normalization = {0, 1.0 / 255}});
  const Tensor images = (*loader.begin()).images;
  std::vector<float> orders[2];
  for (const std::uint64_t seed : {0, 1}) {
    const ImageInputs inputs(input(spec::Form::pixels, seed), 2, 3);
    const std::vector<float> all = filled(inputs);
    std::vector<float> first(all.begin(), all.begin() + 6), second(all.begin() + 6, all.end());
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(second[i], first[i] + 6);
    std::vector<double> of_tensor = inputs.of(images).to_vector();
    for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(std::round(of_tensor[i]), all[i]);
    std::vector<float> one = {0, 1, 2, 3, 4, 5};
    inputs.permute(one);
    EXPECT_EQ(one, first);
    orders[seed] = first;
    std::ranges::sort(first);
    EXPECT_EQ(first, (std::vector<float>{0, 1, 2, 3, 4, 5}));
  }
  EXPECT_NE(orders[0], orders[1]);
  EXPECT_NE(orders[0], (std::vector<float>{0, 1, 2, 3, 4, 5}));
}

TEST(ImageInputs, ImagesThatDoNotSuitAreRefused) {
  const auto refused = [](const spec::ImageInput& i, std::int64_t rows, std::int64_t columns) {
    return test::error_of<ShapeError>([&] { ImageInputs(i, rows, columns); });
  };
  EXPECT_EQ(refused(input(spec::Form::rows), 2, 4),
            "[eval] images of 2x4 have 4 pixels a row, the model reads 3");
  EXPECT_EQ(refused(input(spec::Form::flat), 3, 3),
            "[eval] images of 3x3 have 9 pixels, the model reads 6");
  EXPECT_EQ(refused(input(spec::Form::image), 3, 2),
            "[eval] images of 3x2 given, the model reads 2x3");
  EXPECT_EQ(refused(input(spec::Form::rows, 7), 5, 3),
            "[eval] images of 5x3 have 15 pixels, the model reads 6");
  EXPECT_NO_THROW(ImageInputs(input(spec::Form::rows), 9, 3));    // as many rows as there are
  EXPECT_NO_THROW(ImageInputs(input(spec::Form::pixels), 9, 9));  // likewise
  EXPECT_NO_THROW(ImageInputs(input(spec::Form::flat), 6, 1));
}

}  // namespace
}  // namespace unroll::data
