// Keeps arithmetic within the scope of a FloatEnvironment.
#pragma once

namespace unroll {

/// The value itself, computed before this call and used after it. Compilers know nothing of the
/// floating-point mode, and may move arithmetic on registers across its change: clang does. Numbers
/// that lie in memory stay where they are written.
template <class T>
T in_this_mode(T value) noexcept {
  asm volatile("" : "+m"(value) : : "memory");
  return value;
}

}  // namespace unroll
