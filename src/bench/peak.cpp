// The two measuring loops, compiled for every instruction set of the kernels.

#include "core/simd_targets.h"
// This first: Highway reads it.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/peak.cpp"
#include <hwy/foreach_target.h>
// foreach_target comes first: it includes this file once for each target.
#include <hwy/highway.h>

#include "core/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

// The number of independent chains: enough to hide the latency of two multiply-adds a cycle, and
// few enough to leave registers for the operands. 24 of 32 registers, 12 of 16.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
inline constexpr std::size_t kChains = 24;
#else
inline constexpr std::size_t kChains = 12;
#endif
inline constexpr std::size_t kStreams = 8;  // independent sums, so that additions never wait
inline constexpr std::size_t kLanes = simd::MaxLanes(simd::ScalableTag<float>());

/// Makes `rounds` multiply-adds in each chain. The result goes to `out`, so that the compiler can't
/// remove them.
inline void fma_chains(std::size_t rounds, float factor, float* out) noexcept {
  const simd::ScalableTag<float> d;
  const auto a = simd::Set(d, factor);
  decltype(simd::Zero(d)) sum[kChains];
  // Each chain starts from another number. The compiler would merge equal chains.
  UNROLL_UNROLLED
  for (std::size_t i = 0; i < kChains; ++i) sum[i] = simd::Set(d, static_cast<float>(i));
  for (std::size_t r = 0; r < rounds; ++r) {
    UNROLL_UNROLLED
    for (std::size_t i = 0; i < kChains; ++i) sum[i] = simd::MulAdd(a, a, sum[i]);
  }
  UNROLL_UNROLLED
  for (std::size_t i = 1; i < kChains; ++i) sum[0] = simd::Add(sum[0], sum[i]);
  simd::StoreU(sum[0], d, out);
}

/// Reads `count` numbers, a multiple of kStreams vectors, `passes` times.
inline void read_all(const float* data, std::size_t count, std::size_t passes,
                     float* out) noexcept {
  const simd::ScalableTag<float> d;
  decltype(simd::Zero(d)) sum[kStreams];
  UNROLL_UNROLLED
  for (std::size_t i = 0; i < kStreams; ++i) sum[i] = simd::Zero(d);
  for (std::size_t p = 0; p < passes; ++p)
    for (std::size_t at = 0; at < count; at += kStreams * kLanes) {
      UNROLL_UNROLLED
      for (std::size_t i = 0; i < kStreams; ++i)
        sum[i] = simd::Add(sum[i], simd::LoadU(d, data + at + i * kLanes));
    }
  UNROLL_UNROLLED
  for (std::size_t i = 1; i < kStreams; ++i) sum[0] = simd::Add(sum[0], sum[i]);
  simd::StoreU(sum[0], d, out);
}

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "bench/machine.h"
#include "bench/peak.h"
#include "core/clock.h"
#include "core/parallel.h"
#include "kernels/table.h"
#include "unroll/core/error.h"

namespace unroll::bench {
namespace {

struct Level {
  std::string_view name;  // as in kernels::instruction_set()
  std::size_t chains, lanes;
  void (*fma_chains)(std::size_t rounds, float factor, float* out) noexcept;
  void (*read_all)(const float* data, std::size_t count, std::size_t passes, float* out) noexcept;
};

#define UNROLL_LEVEL(name, target) \
  { name, target::kChains, target::kLanes, &target::fma_chains, &target::read_all }
constexpr Level kLevels[] = {
#if HWY_TARGETS & HWY_AVX3
    UNROLL_LEVEL("avx512", N_AVX3),
#endif
#if HWY_TARGETS & HWY_AVX2
    UNROLL_LEVEL("avx2", N_AVX2),
#endif
#if HWY_TARGETS & HWY_NEON
    UNROLL_LEVEL("neon", N_NEON),
#else
    UNROLL_LEVEL("scalar", HWY_NAMESPACE),
#endif
};
#undef UNROLL_LEVEL

const Level& level() {
  const auto found = std::ranges::find(kLevels, kernels::instruction_set(), &Level::name);
  if (found == std::end(kLevels))
    throw Error("bench", fmt::format("there are no measuring loops for the instruction set {}",
                                     kernels::instruction_set()));
  return *found;
}

struct alignas(64) Line {
  float values[16] = {};
};

/// The shortest time of f among the repetitions that fit into `limit` seconds, after one to warm
/// up.
template <class F>
double shortest(double limit, F&& f) {
  f();
  double best = 0;
  const auto start = Clock::now();
  do {
    const auto before = Clock::now();
    f();
    const double time = seconds_since(before);
    if (best == 0 || time < best) best = time;
  } while (seconds_since(start) < limit);
  return best;
}

}  // namespace

std::size_t vector_lanes() { return level().lanes; }

double fma_gflops(int threads, double seconds) {
  // About a millisecond: much longer than waking the threads, and short enough that other programs
  // rarely interrupt it.
  constexpr std::size_t kRounds = 100'000;
  const Level& l = level();
  const auto count = static_cast<std::size_t>(threads);
  std::vector<Line> out(count);
  const double time = shortest(seconds, [&] {
    parallel(count, [&](std::size_t i) { l.fma_chains(kRounds, 1e-3f, out[i].values); });
  });
  return 2e-9 * static_cast<double>(count * kRounds * l.chains * l.lanes) / time;
}

double l2_gb_per_s(double seconds) {
  // Much larger than L1. At most half of L2, if its size is known.
  constexpr std::size_t kBytes = 256 << 10, kPasses = 100;
  const std::size_t half = l2_bytes() / 2;
  const std::vector<Line> data((half == 0 ? kBytes : std::min(kBytes, half)) / sizeof(Line) / 8 *
                               8);
  const Level& l = level();
  Line out;
  const double time = shortest(
      seconds, [&] { l.read_all(data.front().values, data.size() * 16, kPasses, out.values); });
  return 1e-9 * static_cast<double>(data.size() * sizeof(Line) * kPasses) / time;
}

}  // namespace unroll::bench

#endif  // HWY_ONCE
