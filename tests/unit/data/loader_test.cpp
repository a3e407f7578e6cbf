#include "unroll/data/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "data/order.h"
#include "support/expect_error.h"
#include "support/tensors.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

using test::bits_of;
using test::error_of;
using Values = std::vector<double>;

/// Images of 3x4 pixels, each pixel another number; the label of image i is i % 10.
Dataset numbered_images(std::int64_t count) {
  Dataset set;
  set.name = "made up";
  set.count = count;
  set.rows = 3;
  set.columns = 4;
  for (std::int64_t i = 0; i < count; ++i) {
    for (int p = 0; p < 12; ++p) set.images.push_back(static_cast<std::uint8_t>(12 * i + p + 1));
    set.labels.push_back(static_cast<std::uint8_t>(i % 10));
  }
  return set;
}

Values labels_of(Loader& loader) {
  Values labels;
  for (const auto& [images, batch_labels] : loader)
    for (const double label : batch_labels.to_vector()) labels.push_back(label);
  return labels;
}

TEST(Loader, GoesThroughTheSetInBatchesTheLastOfThemSmaller) {
  const Dataset set = numbered_images(7);
  Generator generator(1);
  Loader loader(set, {.batch_size = 3, .generator = &generator});
  EXPECT_EQ(loader.size(), 3);
  std::vector<std::int64_t> sizes;
  for (const auto& [images, labels] : loader) {
    const auto n = images.size(0);
    EXPECT_EQ(images.shape(), (Shape{n, 1, 3, 4}));
    EXPECT_EQ(labels.shape(), Shape{n});
    EXPECT_EQ(images.dtype(), DType::f32);
    EXPECT_EQ(labels.dtype(), DType::i64);
    sizes.push_back(n);
  }
  EXPECT_EQ(sizes, (std::vector<std::int64_t>{3, 3, 1}));
  EXPECT_EQ(labels_of(loader), (Values{0, 1, 2, 3, 4, 5, 6}));
  const Loader one(set, {.batch_size = 7}), large(set, {.batch_size = 100});
  EXPECT_EQ(one.size(), 1);
  EXPECT_EQ(large.size(), 1);
}

TEST(Loader, PixelsAreDividedBy255InF32) {
  Dataset set = numbered_images(1);
  for (int first = 0; first < 256; first += 12) {
    for (int p = 0; p < 12; ++p)
      set.images[static_cast<std::size_t>(p)] = static_cast<std::uint8_t>(first + p);
    Loader narrow(set), wide(set, {.dtype = DType::f64});
    const Batch f32 = *narrow.begin(), f64 = *wide.begin();
    EXPECT_EQ(f64.images.dtype(), DType::f64);
    for (std::size_t p = 0; p < 12; ++p) {
      const float expected = static_cast<float>(set.images[p]) / 255.0f;
      EXPECT_EQ(f32.images.values<float>()[p], expected);
      EXPECT_EQ(f64.images.values<double>()[p], static_cast<double>(expected));
    }
  }
}

TEST(Loader, PixelsAreNormalised) {
  const Dataset set = numbered_images(2);
  Loader loader(set, {.batch_size = 2, .normalization = {.mean = 0.1307, .std = 0.3081}});
  const Batch batch = *loader.begin();
  for (std::size_t p = 0; p < 24; ++p)
    EXPECT_EQ(batch.images.values<float>()[p],
              (static_cast<float>(set.images[p]) / 255.0f - 0.1307f) / 0.3081f);
  // torchvision's transforms.Normalize((0.1307,), (0.3081,)) of black and white
  const auto values = pixel_values({.mean = 0.1307, .std = 0.3081});
  EXPECT_FLOAT_EQ(values[0], -0.42421296f);
  EXPECT_FLOAT_EQ(values[255], 2.8214867f);
}

TEST(Loader, ShufflesAfreshInEveryPass) {
  const Dataset set = numbered_images(100);
  Generator generator(5), same(5);
  Loader loader(set, {.batch_size = 30, .shuffle = true, .generator = &generator});
  const Values first = labels_of(loader), second = labels_of(loader);
  EXPECT_NE(first, second);
  for (const Values& pass : {first, second}) {
    Values expected;
    for (const std::int64_t i : shuffled_order(same, 100)) expected.push_back(i % 10);
    EXPECT_EQ(pass, expected);
  }
}

TEST(Loader, ImagesKeepTheirLabelsWhenShuffled) {
  const Dataset set = numbered_images(20);  // 240 pixels, all different
  Loader loader(set, {.batch_size = 6, .shuffle = true});
  std::set<std::int64_t> seen;
  for (const auto& [images, labels] : loader)
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      const Values pixels = images.select(0, i).contiguous().to_vector();
      const auto image = (std::llround(pixels[0] * 255) - 1) / 12;
      for (std::size_t p = 0; p < 12; ++p)
        EXPECT_EQ(std::llround(pixels[p] * 255), set.image(image)[p]);
      EXPECT_EQ(labels.to_vector()[static_cast<std::size_t>(i)], image % 10);
      seen.insert(image);
    }
  EXPECT_EQ(seen.size(), 20u);
}

// As PyTorch's DataLoader: every iterator draws a base seed.
TEST(Loader, APassInOrderDrawsOneSeed) {
  const Dataset set = numbered_images(4);
  Generator generator(3, Rng::torch), by_hand(3, Rng::torch);
  Loader loader(set, {.generator = &generator});
  labels_of(loader);
  by_hand.random_i64();
  EXPECT_EQ(generator.next_u64(), by_hand.next_u64());
}

/// The image moved by hand: (dx, dy) to the right and down, `background` coming in.
Values moved(const Dataset& set, std::int64_t dx, std::int64_t dy, double background) {
  Values result(12, background);
  for (std::int64_t r = 0; r < 3; ++r)
    for (std::int64_t c = 0; c < 4; ++c)
      if (r + dy >= 0 && r + dy < 3 && c + dx >= 0 && c + dx < 4)
        result[static_cast<std::size_t>((r + dy) * 4 + c + dx)] =
            static_cast<float>(set.image(0)[r * 4 + c]) / 255.0f;
  return result;
}

TEST(Loader, ShiftsMakeAllNineMovesAboutEquallyOften) {
  const Dataset set = numbered_images(1);
  Generator generator(0);
  Loader loader(set, {.shift = 1, .shift_seed = 7, .generator = &generator});
  std::map<Values, int> counts;
  for (int pass = 0; pass < 900; ++pass) ++counts[(*loader.begin()).images.to_vector()];
  std::set<Values> expected;
  for (const std::int64_t dx : {-1, 0, 1})
    for (const std::int64_t dy : {-1, 0, 1}) expected.insert(moved(set, dx, dy, 0));
  ASSERT_EQ(counts.size(), 9u);
  for (const auto& [image, count] : counts) {
    EXPECT_TRUE(expected.contains(image));
    EXPECT_NEAR(count, 100, 50);  // five standard deviations
  }
}

TEST(Loader, WhatComesInIsBackground) {
  const Dataset set = numbered_images(1);
  const Normalization normalization{.mean = 0.5, .std = 0.5};
  Loader loader(set, {.normalization = normalization, .shift = 2, .shift_seed = 1});
  const float background = pixel_values(normalization)[0];
  EXPECT_EQ(background, -1);
  int empty = 0;
  for (int pass = 0; pass < 200; ++pass)
    for (const double pixel : (*loader.begin()).images.to_vector()) empty += pixel == background;
  EXPECT_GT(empty, 0);
}

TEST(Loader, ShiftsHaveARandomSequenceOfTheirOwn) {
  const Dataset set = numbered_images(20);
  const auto pass = [&](int shift, std::uint64_t shift_seed, std::int64_t batch) {
    Generator generator(9);
    Loader loader(set, {.batch_size = batch,
                        .shuffle = true,
                        .shift = shift,
                        .shift_seed = shift_seed,
                        .generator = &generator});
    std::pair<Values, Values> seen;
    for (const auto& [images, labels] : loader) {
      std::ranges::copy(images.to_vector(), std::back_inserter(seen.first));
      std::ranges::copy(labels.to_vector(), std::back_inserter(seen.second));
    }
    return seen;
  };
  EXPECT_EQ(pass(1, 3, 5), pass(1, 3, 7));
  EXPECT_NE(pass(1, 3, 5).first, pass(1, 4, 5).first);
  EXPECT_NE(pass(1, 3, 5).first, pass(0, 3, 5).first);
  EXPECT_EQ(pass(1, 3, 5).second, pass(0, 3, 5).second);  // the order is the same
}

TEST(Loader, RefusesSettingsOutOfRange) {
  const Dataset set = numbered_images(2);
  EXPECT_EQ(error_of<ValueError>([&] { Loader(set, {.batch_size = 0}); }),
            "[loader] batch_size 0, expected at least 1");
  EXPECT_EQ(error_of<ValueError>([&] { Loader(set, {.shift = -1}); }),
            "[loader] shift -1, expected 0 to 2");
  EXPECT_THROW(Loader(set, {.shift = 3}), ValueError);
  EXPECT_THROW(Loader(set, {.dtype = DType::i64}).begin().operator*(), Error);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const Normalization bad : {Normalization{0, 0},
                                  {0, -1},
                                  {infinity, 1},
                                  {0, infinity},
                                  {std::nan(""), 1},
                                  {0, std::nan("")},
                                  {0, 1e-300},
                                  {1e300, 1}})
    EXPECT_THROW(pixel_values(bad), ValueError) << bad.mean << ", " << bad.std;
}

TEST(Loader, GoesOnBehindABatch) {
  const Dataset set = numbered_images(11);
  for (const Rng rng : {Rng::native, Rng::torch})
    for (const bool shuffle : {false, true})
      for (int batches = 1; batches <= 7; ++batches) {
        const auto options = [&](Generator& generator) {
          return LoaderOptions{
              .batch_size = 3, .shuffle = shuffle, .shift = 1, .generator = &generator};
        };
        const auto next = [](Loader& loader, Loader::Iterator& at) {
          ++at;
          if (!(at != loader.end())) at = loader.begin();
          return *at;
        };
        Generator first(5, rng);
        Loader whole(set, options(first));
        Loader::Iterator at = whole.begin();
        (void)*at;
        for (int i = 1; i < batches; ++i) next(whole, at);

        Generator second(6, rng);
        second.load_state(first.state());
        Loader resumed(set, options(second));
        Loader::Iterator there = resumed.resume(whole.position(at));
        for (int i = 0; i < 9; ++i) {
          const Batch a = next(whole, at), b = next(resumed, there);
          EXPECT_EQ(a.images.to_vector(), b.images.to_vector());
          EXPECT_EQ(a.labels.to_vector(), b.labels.to_vector());
        }
      }
}

TEST(Loader, APlaceWhereNoBatchStartsIsRefused) {
  const Dataset set = numbered_images(11);
  Loader loader(set, {.batch_size = 3});
  const Generator shifts = loader.position(loader.begin()).shifts;
  for (const std::int64_t first : {-3, 1, 12})
    EXPECT_THROW(loader.resume({0, first, shifts}), ValueError) << first;
}

}  // namespace
}  // namespace unroll::data
