// Compiles the matrix product for every instruction set.

#include "core/simd_targets.h"
// Must come before Highway's headers.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gemm.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, which includes this file once for each target.
#include <hwy/highway.h>

#include "kernels/gemm-inl.h"
#include "kernels/targets-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

template void gemm(const Gemm<float>&) noexcept;
template void gemm(const Gemm<double>&) noexcept;

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
