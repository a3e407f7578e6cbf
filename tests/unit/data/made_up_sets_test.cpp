// Sets that users fill themselves, with mistakes.
#include <gtest/gtest.h>

#include <limits>

#include "support/black_and_white.h"
#include "support/expect_error.h"
#include "unroll/core/error.h"
#include "unroll/data/bucket_loader.h"
#include "unroll/data/loader.h"

namespace unroll::data {
namespace {

using test::black_and_white;
using test::error_of;

template <class Change>
std::string refusal_of_change(Change&& change) {
  Dataset set = black_and_white();
  change(set);
  return error_of<ValueError>([&] { Loader(set, LoaderOptions{.batch_size = 4}); });
}

TEST(Trial21, ASetThatHoldsLessThanItSaysIsRefused) {
  EXPECT_EQ(refusal_of_change([](Dataset& s) { s.count = 21; }),
            "[loader] the data set has 320 pixels, expected 21 images of 4x4; set count, rows and "
            "columns to what it holds");
  EXPECT_EQ(refusal_of_change([](Dataset& s) { s.labels.clear(); }),
            "[loader] the data set has 0 labels for 20 images, expected one each");
  EXPECT_EQ(refusal_of_change([](Dataset& s) { s.images.pop_back(); }),
            "[loader] the data set has 319 pixels, expected 20 images of 4x4; set count, rows and "
            "columns to what it holds");
  EXPECT_EQ(refusal_of_change([](Dataset& s) { s.count = 0; }),
            "[loader] the data set has 0 images, expected at least 1");
  EXPECT_EQ(refusal_of_change([](Dataset& s) { s.count = -3; }),
            "[loader] the data set has -3 images, expected at least 1");
  EXPECT_EQ(refusal_of_change([](Dataset& s) { s.rows = 0; }),
            "[loader] the data set's images are 0x4, expected at least 1x1");
  EXPECT_EQ(refusal_of_change([](Dataset& s) { s.labels[7] = 2; }),
            "[loader] the label 2 at index 7 is outside of the data set's 2 classes, expected 0 to "
            "1");
  // Products that overflow.
  constexpr auto huge = std::numeric_limits<std::int64_t>::max();
  EXPECT_NE(refusal_of_change([](Dataset& s) {
              s.count = huge;
            }).find("expected 9223372036854775807 images"),
            std::string::npos);
  EXPECT_NE(refusal_of_change([](Dataset& s) {
              s.rows = s.columns = std::int64_t{1} << 32;
            }).find("images of 4294967296x4294967296"),
            std::string::npos);
}

TEST(Trial21, ASetMayHoldMoreThanIsUsed) {
  Dataset set = black_and_white();
  set.count = 3;
  Loader loader(set, {.batch_size = 4});
  std::int64_t images = 0;
  for (auto [x, y] : loader) images += x.size(0);
  EXPECT_EQ(images, 3);
}

TEST(Trial21, ASetThatBecomesWrongIsFoundInTheNextPass) {
  Dataset set = black_and_white();
  Loader loader(set, {.batch_size = 4});
  for (auto [x, y] : loader) EXPECT_EQ(x.size(0), 4);
  const auto position = loader.position(loader.begin());
  set.images.resize(100);
  EXPECT_THROW(loader.begin(), ValueError);
  EXPECT_THROW(loader.resume(position), ValueError);
}

TEST(Trial21, SequencesThatBecomeWrongAreFoundInTheNextPass) {
  Sequences set{.features = 1, .lengths = {2, 3}, .values = {1, 2, 3, 4, 5}, .labels = {0, 1}};
  BucketLoader loader(set, {.batch_size = 2});
  for (auto [x, lengths, y] : loader) EXPECT_EQ(x.size(1), 3);
  set.lengths = {2, 300};
  EXPECT_THROW(loader.begin(), ShapeError);
  set.lengths = {3, 2};  // right again, in another way
  for (auto [x, lengths, y] : loader)
    EXPECT_EQ(x.to_vector(), (std::vector<double>{4, 5, 0, 1, 2, 3}));
}

}  // namespace
}  // namespace unroll::data
