// Which instruction sets Highway compiles for; included before <hwy/foreach_target.h>.
#pragma once

// Only targets whose MulAdd is fused; the baseline becomes the one-lane stand-in of simd-inl.h.
// What is better than AVX3 (lower bits) differs from it in nothing that is used here. Bits 14 and
// 29 are SSE2 and NEON_WITHOUT_AES: nameless before Highway 1.0.4, the baselines since.
#define HWY_DISABLED_TARGETS                                                                     \
  ((HWY_AVX3 - 1) | HWY_SSE4 | HWY_SSSE3 | (1LL << 14) | HWY_SVE2_128 | HWY_SVE_256 | HWY_SVE2 | \
   HWY_SVE | (1LL << 29))
