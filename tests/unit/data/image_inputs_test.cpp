#include "data/image_inputs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data/image_file.h"
#include "data/image_source.h"
#include "support/expect_error.h"
#include "unit/data/idx_files.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

/// Two images of 2 x 3.
Dataset two_images() {
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

/// The images of a source's test part as a batch, rounded.
std::vector<float> pixels_of(const Source& source) {
  Examples examples;
  source.batch(Split::test, std::array{Pick{0}, Pick{1}}, DType::f32, examples);
  const auto values = examples.inputs.values<float>();
  std::vector<float> all(values.begin(), values.end());
  for (float& v : all) v = std::round(v);
  return all;
}

/// The same of an idx file.
std::vector<float> batch_of_file(const spec::ImageInput& how) {
  const test::TemporaryFolder folder;
  std::string bytes = test::idx_header({2, 2, 3});
  for (const std::uint8_t pixel : two_images().images) bytes += static_cast<char>(pixel);
  return pixels_of(*image_file(folder.write("images", bytes), {}, how));
}

TEST(ImageInputs, OfEveryForm) {
  for (const auto& [form, steps] : {std::pair(spec::Form::rows, 2),
                                    {spec::Form::pixels, 6},
                                    {spec::Form::flat, 1},
                                    {spec::Form::image, 1}}) {
    const ImageInputs inputs(input(form), 2, 3);
    EXPECT_EQ(batch_of_file(input(form)),
              (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
    EXPECT_EQ(inputs.steps(), steps);
    EXPECT_EQ(inputs.size(), 6);
  }
}

// One order for all images and all three ways; another seed, another order.
TEST(ImageInputs, APermutationIsTheSameEverywhere) {
  std::vector<float> orders[2];
  for (const std::uint64_t seed : {0, 1}) {
    const spec::ImageInput how = input(spec::Form::pixels, seed);
    const std::vector<float> all = batch_of_file(how);
    std::vector<float> first(all.begin(), all.begin() + 6), second(all.begin() + 6, all.end());
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(second[i], first[i] + 6);
    EXPECT_EQ(pixels_of(*image_source({two_images(), two_images()}, {.input = how})), all);
    std::vector<float> one = {0, 1, 2, 3, 4, 5};
    ImageInputs(how, 2, 3).permute(one);
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
            "[eval] images of 3x2 don't fit, the model reads 2x3");
  EXPECT_EQ(refused(input(spec::Form::rows, 7), 5, 3),
            "[eval] images of 5x3 have 15 pixels, the model reads 6");
  EXPECT_NO_THROW(ImageInputs(input(spec::Form::rows), 9, 3));    // as many rows as there are
  EXPECT_NO_THROW(ImageInputs(input(spec::Form::pixels), 9, 9));  // likewise
  EXPECT_NO_THROW(ImageInputs(input(spec::Form::flat), 6, 1));
}

}  // namespace
}  // namespace unroll::data
