#include "app/progress_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace unroll::app {
namespace {

struct LineParts {
  bool long_words, lr, rate, bars, metrics, left, loss;
};

constexpr LineParts kLayouts[] = {
    {true, true, true, true, true, true, true},
    {false, true, true, true, true, true, true},
    {false, false, true, true, true, true, true},
    {false, false, false, true, true, true, true},
    {false, false, false, false, true, true, true},
    {false, false, false, false, false, true, true},
    {false, false, false, false, false, false, true},
    {false, false, false, false, false, false, false},
};

constexpr std::string_view kGap = "  ";
constexpr std::size_t kFewestBars = 6;

std::string number_for_people(double value) {
  const double size = std::abs(value);
  return size >= 1e5 || (size > 0 && size < 1e-4) ? fmt::format("{:.2e}", value)
                                                  : fmt::format("{:.4f}", value);
}

std::string time_left(double seconds) {
  constexpr double kLong = 100 * 3600;
  if (seconds < 60) return fmt::format("{:.0f} s left", std::floor(seconds));
  const auto minutes = static_cast<std::int64_t>(std::min(seconds, 1e12) / 60);
  if (minutes < 60)
    return fmt::format("{} min {} s left", minutes, static_cast<std::int64_t>(seconds) % 60);
  return seconds < kLong ? fmt::format("{} h {} min left", minutes / 60, minutes % 60)
                         : fmt::format("{} days left", minutes / 60 / 24);
}

/// All but the bars.
std::string words_of(const ProgressLine& line, const LineParts& shown) {
  std::vector<std::string> words = {
      fmt::format("{}{}/{}", shown.long_words ? "step " : "", line.step, line.steps)};
  if (shown.loss) words.push_back("loss " + number_for_people(line.loss));
  if (shown.metrics && !line.metrics.empty()) words.push_back(line.metrics);
  if (shown.lr) words.push_back(fmt::format("lr {:.3g}", line.lr));
  const double rate = line.steps_per_second;
  if (std::isfinite(rate) && rate > 0) {
    if (shown.rate)
      words.push_back(fmt::format(
          "{}{}/s", rate < 10 ? fmt::format("{:.2g}", rate) : fmt::format("{:.0f}", rate),
          shown.long_words ? " steps" : ""));
    if (shown.left) words.push_back(time_left(static_cast<double>(line.steps - line.step) / rate));
  }
  return fmt::format("{}", fmt::join(words, kGap));
}

}  // namespace

std::string text_of(const ProgressLine& line, int columns, bool utf8) {
  // In the last column, some terminals go on to the next line.
  const auto room = static_cast<std::size_t>(std::max(columns - 1, 0));
  for (const LineParts& shown : kLayouts) {
    std::string text = words_of(line, shown);  // ASCII
    if (shown.bars) text += kGap;
    if (text.size() + (shown.bars ? kFewestBars : 0) > room) continue;
    return shown.bars ? text + sparkline(line.losses.means(room - text.size()), utf8) : text;
  }
  const std::string step = fmt::format("{}", line.step);
  return step.size() <= room ? step : "";
}

}  // namespace unroll::app
