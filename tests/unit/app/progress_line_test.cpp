#include "app/progress_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace unroll::app {
namespace {

/// Every character here has one column.
int columns_of(const std::string& text) {
  int columns = 0;
  for (const char c : text) columns += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return columns;
}

LossHistory falling(int steps) {
  LossHistory losses;
  for (int i = 1; i <= steps; ++i) losses.add(2.0 / i);
  return losses;
}

std::string drawn_in(int columns, bool utf8 = true) {
  static const LossHistory losses = falling(2500);
  return text_of({2500, 3000, 0.006, 0.1, "accuracy 98.64 %", 512.3, losses}, columns, utf8);
}

bool shows(const std::string& line, const std::string& part) {
  return line.find(part) != std::string::npos;
}

TEST(ProgressLine, HasEverythingInAWideTerminal) {
  const std::string line = drawn_in(120);
  EXPECT_EQ(
      line.rfind("step 2500/3000  loss 0.0060  accuracy 98.64 %  lr 0.1  512 steps/s  0 s left  █",
                 0),
      0u)
      << line;
  EXPECT_EQ(columns_of(line), 119);
  EXPECT_TRUE(line.ends_with("▁")) << line;
}

TEST(ProgressLine, HasEverythingIn80Columns) {
  const std::string line = drawn_in(80);
  EXPECT_TRUE(
      line.starts_with("2500/3000  loss 0.0060  accuracy 98.64 %  lr 0.1  512/s  0 s left  █"))
      << line;
  EXPECT_EQ(columns_of(line), 79);
}

TEST(ProgressLine, FitsEveryWidth) {
  const LossHistory losses = falling(100'000), none;
  for (const bool utf8 : {false, true})
    for (int columns = 1; columns <= 250; ++columns)
      for (const ProgressLine& line :
           {ProgressLine{2500, 3000, 0.006, 0.1, "accuracy 98.64 %", 512, losses},
            ProgressLine{1, 1'000'000'000'000, 1e300, 1e-17, "accuracy 9.00 % (kmnist, not MNIST)",
                         1e-9, losses},
            ProgressLine{1, 3, 0, 0, "", 0, none},
            ProgressLine{1, 3, -5, 0, "", std::numeric_limits<double>::infinity(), none},
            ProgressLine{1, 3, std::nan(""), 0, "", std::nan(""), none}}) {
        const std::string text = text_of(line, columns, utf8);
        EXPECT_LT(columns_of(text), columns) << text;
        EXPECT_EQ(text.find('\n'), std::string::npos);
      }
}

TEST(ProgressLine, DropsPartsInOrder) {
  const std::vector<std::string> order = {"step ",    "lr 0.1", "512/s",     "▁",
                                          "accuracy", "s left", "loss 0.00", "2500/3000"};
  std::size_t dropped = 0;
  for (int columns = 200; columns > 0; --columns) {
    const std::string line = drawn_in(columns);
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (order[i] == "512/s" && shows(line, "512 steps/s")) continue;
      if (i < dropped) {
        EXPECT_FALSE(shows(line, order[i])) << columns << ": " << line;
      }
    }
    while (dropped < order.size() && !shows(line, order[dropped]) &&
           !(order[dropped] == "512/s" && shows(line, "512 steps/s")))
      ++dropped;
    for (std::size_t i = dropped; i < order.size(); ++i)
      EXPECT_TRUE(shows(line, order[i]) || (order[i] == "512/s" && shows(line, "512 steps/s")))
          << columns << " lacks " << order[i] << ": " << line;
  }
  EXPECT_EQ(dropped, order.size());
  EXPECT_EQ(drawn_in(24), "2500/3000  loss 0.0060");
  EXPECT_EQ(drawn_in(10), "2500/3000");
  EXPECT_EQ(drawn_in(9), "2500");
  EXPECT_EQ(drawn_in(4), "");
}

TEST(ProgressLine, IsAsciiWithoutUtf8) {
  for (const char c : drawn_in(150, false)) EXPECT_TRUE(c >= ' ' && c <= '~');
  EXPECT_EQ(columns_of(drawn_in(150, false)), 149);
}

TEST(ProgressLine, SaysTheTimeLeft) {
  const LossHistory none;
  const auto left = [&](std::int64_t steps, double rate) {
    const std::string line = text_of({0, steps, 1, 1, "", rate, none}, 150, false);
    const std::size_t end = line.find(" left");
    return line.substr(line.rfind("  ", end) + 2, end - line.rfind("  ", end) - 2);
  };
  EXPECT_EQ(left(590, 10), "59 s");
  EXPECT_EQ(left(610, 10), "1 min 1 s");
  EXPECT_EQ(left(36610, 10), "1 h 1 min");
  EXPECT_EQ(left(864000 * 10, 10), "10 days");
}

TEST(Sparkline, IsLinearInASmallRange) {
  EXPECT_EQ(sparkline(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8}, true), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(sparkline(std::vector<double>{8, 1, 8}, false), "%.%");
  EXPECT_EQ(sparkline(std::vector<double>{-1, 7}, true), "▁█");
  EXPECT_EQ(sparkline(std::vector<double>{3, 3}, true), "▁▁");
  EXPECT_EQ(sparkline(std::vector<double>{}, true), "");
}

// Powers of ten have equal distances.
TEST(Sparkline, IsLogarithmicInALargeRange) {
  std::vector<double> powers;
  for (int i = 0; i < 8; ++i) powers.push_back(std::pow(10, -i));
  EXPECT_EQ(sparkline(powers, true), "█▇▆▅▄▃▂▁");
}

TEST(LossHistory, CoversAllStepsInLittleMemory) {
  LossHistory losses;
  const int steps = 1'000'000;
  double sum = 0;
  for (int i = 0; i < steps; ++i) {
    losses.add(i);
    losses.add(std::numeric_limits<double>::infinity());
    sum += i;
  }
  const std::vector<double> all = losses.means(10'000);
  EXPECT_LE(all.size(), 512u);
  EXPECT_GE(all.size(), 256u);
  EXPECT_TRUE(std::ranges::is_sorted(all));
  EXPECT_LT(all.front(), steps / 256);
  EXPECT_GT(all.back(), steps - steps / 128);
  EXPECT_EQ(losses.means(1), std::vector<double>{sum / steps});
  const std::vector<double> halves = losses.means(2);
  EXPECT_NEAR(halves[0], steps / 4, steps / 128);
  EXPECT_NEAR(halves[1], steps * 3 / 4, steps / 128);
}

TEST(LossHistory, KeepsEachOfFewSteps) {
  LossHistory losses;
  for (const double loss : {3.0, 2.0, 1.0}) losses.add(loss);
  EXPECT_EQ(losses.means(10), (std::vector<double>{3, 2, 1}));
  EXPECT_EQ(LossHistory().means(10), std::vector<double>{});
}

}  // namespace
}  // namespace unroll::app
