// The kernels of every instruction set. One set is chosen at run time.

#include "core/simd_targets.h"
// Must come before Highway's headers.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/table.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, which includes this file once for each target.
#include <hwy/highway.h>

#include "kernels/targets-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

template <class T>
inline constexpr kernels::Kernels<T> kTable = {&gemm<T>,
                                               &map_exp<T>,
                                               &map_tanh<T>,
                                               CellTable<T>::cells,
                                               RowTable<T>::rows,
                                               of_training(&bernoulli<T>),
                                               of_training(&fingerprint<T>)};

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "unroll/core/error.h"

namespace unroll::kernels {
namespace {

/// Whether this CPU and the system have what Highway compiles a level for. Highway's own check is
/// in its library, which programs would need at run time for this alone.
using RunsHere = bool (*)();
[[maybe_unused]] constexpr RunsHere kAlways = [] { return true; };
#if HWY_TARGETS & (HWY_AVX3 | HWY_AVX2)
// LZCNT and F16C come with BMI2 in every CPU; clang 14 has no names for them here.
constexpr RunsHere kHasAvx2 = [] {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
};
constexpr RunsHere kHasAvx512 = [] {
  return kHasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
};
#endif

struct Level {
  const char* name;
  RunsHere runs_here;
  const Kernels<float>* f32;
  const Kernels<double>* f64;
};

/// The compiled levels, best first.
constexpr Level kLevels[] = {
#if HWY_TARGETS & HWY_AVX3
    {"avx512", kHasAvx512, &N_AVX3::kTable<float>, &N_AVX3::kTable<double>},
#endif
#if HWY_TARGETS & HWY_AVX2
    {"avx2", kHasAvx2, &N_AVX2::kTable<float>, &N_AVX2::kTable<double>},
#endif
#if HWY_TARGETS & HWY_NEON
    {"neon", kAlways, &N_NEON::kTable<float>, &N_NEON::kTable<double>},
#endif
#if HWY_STATIC_TARGET != HWY_NEON
    {"scalar", kAlways, &HWY_NAMESPACE::kTable<float>, &HWY_NAMESPACE::kTable<double>},
#endif
};

const Level& choose() {
  const char* forced = std::getenv("UNROLL_ISA");
  std::string available;
  for (const Level& level : kLevels) {
    if (!level.runs_here()) continue;
    if (!forced || !*forced || std::string_view(forced) == level.name) return level;
    available += available.empty() ? level.name : fmt::format(", {}", level.name);
  }
  throw ValueError("isa", fmt::format("UNROLL_ISA={} is not available here; this CPU has: {}",
                                      forced, available));
}

const Level& chosen() {
  // Not a static local: its lock would stay locked in a child, if fork() happens while another
  // thread initialises it.
  static std::atomic<const Level*> known = nullptr;
  const Level* level = known.load(std::memory_order_acquire);
  if (!level) known.store(level = &choose(), std::memory_order_release);
  return *level;
}

}  // namespace

template <>
const Kernels<float>& table<float>() {
  return *chosen().f32;
}
template <>
const Kernels<double>& table<double>() {
  return *chosen().f64;
}

const char* instruction_set() { return chosen().name; }

std::vector<const char*> instruction_sets() {
  std::vector<const char*> names;
  for (const Level& level : kLevels)
    if (level.runs_here()) names.push_back(level.name);
  return names;
}

}  // namespace unroll::kernels

#endif  // HWY_ONCE
