#include "train/class_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace unroll::train {
namespace {

TEST(ClassMetrics, AScoreThatIsNoNumberHasNoRank) {
  for (const std::int64_t classes : {2, 3}) {
    ClassMetrics metrics(classes);
    std::vector<double> outputs(static_cast<std::size_t>(classes), 0.25);
    metrics.add(0, 1, outputs, outputs);
    metrics.add(1, 1, outputs, outputs);
    if (classes == 3) metrics.add(2, 1, outputs, outputs);
    EXPECT_EQ(metrics.auroc(), 0.5);  // equal scores
    outputs.assign(outputs.size(), std::nan(""));
    metrics.add(0, 0, outputs, outputs);
    EXPECT_FALSE(metrics.auroc());
    EXPECT_GT(metrics.balanced_accuracy(), 0);
  }
}

}  // namespace
}  // namespace unroll::train
