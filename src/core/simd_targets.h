// Which instruction sets Highway compiles for; included before <hwy/foreach_target.h>.
#pragma once

// Only targets whose MulAdd is fused; the baseline becomes the one-lane stand-in of simd-inl.h.
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
