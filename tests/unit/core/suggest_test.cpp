#include "core/suggest.h"

#include <gtest/gtest.h>

namespace unroll {
namespace {

TEST(Suggest, TheNearestByEditDistance) {
  constexpr std::string_view names[] = {"train", "eval", "predict", "inspect", "data"};
  EXPECT_EQ(did_you_mean("trian", names), "; did you mean train?");
  EXPECT_EQ(did_you_mean("predct", names), "; did you mean predict?");
  EXPECT_EQ(did_you_mean("inspect", names), "; did you mean inspect?");
  EXPECT_EQ(did_you_mean("dat", names), "; did you mean data?");
  EXPECT_EQ(did_you_mean("xyzzyplugh", names), "");
  EXPECT_EQ(did_you_mean("anything", {}), "");
  EXPECT_EQ(did_you_mean(std::string(1000000, 't'), names), "");
}

}  // namespace
}  // namespace unroll
