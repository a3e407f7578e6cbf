// The processor's floating-point mode, on which the promise of equal bits depends.
#pragma once

#include <cstdint>

namespace unroll {

/// Sets rounding to nearest and keeps subnormal numbers (no flush to zero). Restores the caller's
/// mode at the end of the scope. Every public function that computes holds one (docs/numerics.md).
/// Inference asks it whether the caller flushes, and then sets tiny states to 0 itself.
class FloatEnvironment {
 public:
#if defined(__x86_64__)
  FloatEnvironment() noexcept : saved_(__builtin_ia32_stmxcsr()) {
    if ((saved_ & ~kFlags) != kWanted) __builtin_ia32_ldmxcsr(kWanted);
  }
  ~FloatEnvironment() {
    if ((saved_ & ~kFlags) != kWanted) __builtin_ia32_ldmxcsr(saved_);
  }
  bool caller_flushes() const noexcept { return (saved_ & kFlushes) != 0; }

 private:
  static constexpr std::uint32_t kWanted = 0x1f80;   // all exceptions masked, nothing flushed
  static constexpr std::uint32_t kFlags = 0x3f;      // sticky exception flags: not a mode
  static constexpr std::uint32_t kFlushes = 0x8040;  // FTZ: results; DAZ: operands
  std::uint32_t saved_;
#elif defined(__aarch64__)
  FloatEnvironment() noexcept {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    if (saved_ != 0) asm volatile("msr fpcr, %0" ::"r"(std::uint64_t{0}));
  }
  ~FloatEnvironment() {
    if (saved_ != 0) asm volatile("msr fpcr, %0" ::"r"(saved_));
  }
  bool caller_flushes() const noexcept { return (saved_ >> 24 & 1) != 0; }  // FZ

 private:
  std::uint64_t saved_;
#else
  FloatEnvironment() noexcept {}
  bool caller_flushes() const noexcept { return false; }
#endif

 public:
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;
};

}  // namespace unroll
