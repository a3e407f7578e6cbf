// The instruction sets that Highway compiles for. Include it before <hwy/foreach_target.h>.
#pragma once

// Only targets with a fused MulAdd; the baseline is the one-lane substitute of simd-inl.h. Targets
// better than AVX3 (lower bits) add nothing that is used here. Bits 14 and 29 are SSE2 and
// NEON_WITHOUT_AES: they have no name before Highway 1.0.4, and are the baselines since.
#define HWY_DISABLED_TARGETS                                                                     \
  ((HWY_AVX3 - 1) | HWY_SSE4 | HWY_SSSE3 | (1LL << 14) | HWY_SVE2_128 | HWY_SVE_256 | HWY_SVE2 | \
   HWY_SVE | (1LL << 29))
