#include "app/sparkline.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace unroll::app {

void LossHistory::add(double loss) {
  if (!std::isfinite(loss)) return;
  if (parts_.empty() || parts_.back().count == steps_in_part_) {
    if (parts_.size() == kMost) {
      for (std::size_t i = 0; i < kMost / 2; ++i) {
        const Part &a = parts_[2 * i], &b = parts_[2 * i + 1];
        parts_[i] = {a.sum + b.sum, a.count + b.count};
      }
      parts_.resize(kMost / 2);
      steps_in_part_ *= 2;
    }
    parts_.emplace_back();
  }
  parts_.back().sum += loss;
  ++parts_.back().count;
}

std::vector<double> LossHistory::means(std::size_t most) const {
  const std::size_t count = std::min(most, parts_.size());
  std::vector<double> means;
  for (std::size_t i = 0; i < count; ++i) {
    Part all;
    for (std::size_t p = i * parts_.size() / count; p < (i + 1) * parts_.size() / count; ++p) {
      all.sum += parts_[p].sum;
      all.count += parts_[p].count;
    }
    means.push_back(all.sum / static_cast<double>(all.count));
  }
  return means;
}

std::string sparkline(std::span<const double> numbers, bool utf8) {
  constexpr std::string_view kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::string_view kSigns = ".:-=+*#%";
  constexpr int kLevels = 8;
  constexpr double kLargeRange = 10;
  if (numbers.empty()) return {};
  const auto [low, high] = std::ranges::minmax(numbers);
  const bool logarithmic = low > 0 && high / low > kLargeRange;
  const auto scaled = [&](double x) { return logarithmic ? std::log(x) : x; };
  const double bottom = scaled(low), range = scaled(high) - bottom;
  std::string line;
  for (const double x : numbers) {
    const double part = range > 0 ? (scaled(x) - bottom) / range : 0;
    const auto level =
        static_cast<std::size_t>(std::clamp(static_cast<int>(part * kLevels), 0, kLevels - 1));
    line += utf8 ? kBlocks[level] : kSigns.substr(level, 1);
  }
  return line;
}

}  // namespace unroll::app
