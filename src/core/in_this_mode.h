// Keeps arithmetic inside the scope of a FloatEnvironment.
#pragma once

namespace unroll {

/// Returns `value`, which must be computed before this call and used after it. Compilers do not
/// know the floating-point mode, and may move arithmetic on registers across a change of it, as
/// clang does. Stores to memory are not moved.
template <class T>
T in_this_mode(T value) noexcept {
  asm volatile("" : "+m"(value) : : "memory");
  return value;
}

}  // namespace unroll
