// The course of the loss as one line of small bars.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unroll::app {

/// The losses of all steps, as means over equally many steps. It needs the same memory for any
/// number of steps: when it is full, every two means become one.
class LossHistory {
 public:
  /// A loss that is not finite is left out.
  void add(double loss);
  /// At most `most` means, in order. Together they cover all steps.
  std::vector<double> means(std::size_t most) const;

 private:
  struct Part {
    double sum = 0;
    std::int64_t count = 0;
  };
  static constexpr std::size_t kMost = 512;

  std::vector<Part> parts_;
  std::int64_t steps_in_part_ = 1;  // of a whole part
};

/// A bar for each number: ▁ for the smallest, █ for the largest. On a logarithmic scale if all
/// numbers are above 0 and the largest is more than ten times the smallest. Without `utf8` the bars
/// are . : - = + * # %
std::string sparkline(std::span<const double> numbers, bool utf8);

}  // namespace unroll::app
