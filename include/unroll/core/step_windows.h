// Windows of the time steps of a sequence.
#pragma once

#include <cstdint>

namespace unroll {

/// Which steps each output of a one-dimensional convolution reads. Output u reads the steps
/// u stride + k dilation - before() for k = 0 .. kernel - 1. Steps outside the sequence are zeros.
struct StepWindows {
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t padding = 0;  ///< steps of zeros at each end
  std::int64_t dilation = 1;
  /// Put span() - 1 zeros at the start and none at the end, so that no output reads a later step.
  /// `padding` is 0 then.
  bool causal = false;

  /// Steps from the first that an output reads to its last.
  constexpr std::int64_t span() const { return dilation * (kernel - 1) + 1; }
  constexpr std::int64_t before() const { return causal ? span() - 1 : padding; }
  constexpr std::int64_t after() const { return causal ? 0 : padding; }
  /// The number of outputs of a sequence of so many steps; 0 if it is too short for a window.
  constexpr std::int64_t outputs(std::int64_t steps) const {
    const std::int64_t all = before() + steps + after();
    return all < span() ? 0 : (all - span()) / stride + 1;
  }
  /// The steps of the shortest sequence that has so many outputs.
  constexpr std::int64_t shortest(std::int64_t outputs = 1) const {
    const std::int64_t least = (outputs - 1) * stride + span() - before() - after();
    return least > 1 ? least : 1;
  }
  /// Whether a sequence of any length has as many outputs as steps.
  constexpr bool keeps_steps() const { return stride == 1 && before() + after() == span() - 1; }

  friend bool operator==(const StepWindows&, const StepWindows&) = default;
};

}  // namespace unroll
