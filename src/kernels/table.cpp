// Compiles the kernels for every instruction set and chooses one at run time.

#include "core/simd_targets.h"
// This first: Highway reads it.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/table.cpp"
#include <hwy/foreach_target.h>
// foreach_target comes first: it includes this file once for each target.
#include <hwy/highway.h>

#include "kernels/bernoulli-inl.h"
#include "kernels/cells/gru_cell-inl.h"
#include "kernels/cells/lstm_cell-inl.h"
#include "kernels/cells/rnn_cell-inl.h"
#include "kernels/gemm-inl.h"
#include "kernels/rows-inl.h"
#include "kernels/table.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

// Another version of Highway may have other baselines: those must not slip in unfused.
static_assert(UNROLL_ONE_LANE || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2 ||
              HWY_TARGET == HWY_NEON);

/// out[i] = f(in[i]).
template <class T, class F>
HWY_INLINE void map(const T* in, T* out, std::size_t count, F f) {
  const simd::ScalableTag<T> d;
  const simd::CappedTag<T, 1> one;
  const std::size_t lanes = simd::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) simd::StoreU(f(d, simd::LoadU(d, in + i)), d, out + i);
  for (; i < count; ++i) simd::StoreU(f(one, simd::LoadU(one, in + i)), one, out + i);
}

template <class T>
void map_exp(const T* in, T* out, std::size_t count) noexcept {
  map(in, out, count, [](auto d, auto v) HWY_ATTR { return exp(d, v); });
}

template <class T>
void map_tanh(const T* in, T* out, std::size_t count) noexcept {
  map(in, out, count, [](auto d, auto v) HWY_ATTR { return tanh(d, v); });
}

/// f, or null in a library that only runs models.
template <class F>
constexpr F* of_training(F* f) {
  return kernels::kTraining ? f : nullptr;
}

template <class T>
inline constexpr kernels::Kernels<T> kTable = {
    &gemm<T>,
    &map_exp<T>,
    &map_tanh<T>,
    {{&rnn_forward<Relu, T>, of_training(&rnn_backward<Relu, T>)},
     {&rnn_forward<Tanh, T>, of_training(&rnn_backward<Tanh, T>)},
     {&lstm_forward<T>, of_training(&lstm_backward<T>)},
     {&gru_forward<T>, of_training(&gru_backward<T>)}},
    {&multiply_rows<T>, &add_rows<T>, &multiply_add_rows<T>, &keep_zone<T>,
     of_training(&split_zone<T>), of_training(&flush_tiny<T>), &normalise_sums<T>,
     of_training(&normalise_sums_backward<T>)},
    of_training(&bernoulli<T>),
};

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

struct Level {
  const char* name;
  std::int64_t target;  // Highway's bit
  const Kernels<float>* f32;
  const Kernels<double>* f64;
};

/// The levels compiled in, best first.
constexpr Level kLevels[] = {
#if HWY_TARGETS & HWY_AVX3
    {"avx512", HWY_AVX3, &N_AVX3::kTable<float>, &N_AVX3::kTable<double>},
#endif
#if HWY_TARGETS & HWY_AVX2
    {"avx2", HWY_AVX2, &N_AVX2::kTable<float>, &N_AVX2::kTable<double>},
#endif
#if HWY_TARGETS & HWY_NEON
    {"neon", HWY_NEON, &N_NEON::kTable<float>, &N_NEON::kTable<double>},
#endif
#if HWY_STATIC_TARGET != HWY_NEON
    {"scalar", HWY_STATIC_TARGET, &HWY_NAMESPACE::kTable<float>, &HWY_NAMESPACE::kTable<double>},
#endif
};

bool runs_here(const Level& level) {
  return level.target == HWY_STATIC_TARGET || (HWY_SUPPORTED_TARGETS & level.target) != 0;
}

const Level& choose() {
  const char* forced = std::getenv("UNROLL_ISA");
  std::string available;
  for (const Level& level : kLevels) {
    if (!runs_here(level)) continue;
    if (!forced || !*forced || std::string_view(forced) == level.name) return level;
    available += available.empty() ? level.name : fmt::format(", {}", level.name);
  }
  throw ValueError("isa", fmt::format("UNROLL_ISA={} is not available here; this CPU has: {}",
                                      forced, available));
}

const Level& chosen() {
  // Not a static local of choose()'s result: fork() while another thread makes one leaves it
  // locked.
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
    if (runs_here(level)) names.push_back(level.name);
  return names;
}

}  // namespace unroll::kernels

#endif  // HWY_ONCE
