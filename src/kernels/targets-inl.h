// The kernels of each instruction set. gemm.cpp, cells.cpp and rows.cpp compile them.
//
// Each of these files includes itself once for each instruction set, by Highway's foreach_target.
// table.cpp combines their parts.
#if defined(UNROLL_KERNELS_TARGETS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_TARGETS_INL_H_
#undef UNROLL_KERNELS_TARGETS_INL_H_
#else
#define UNROLL_KERNELS_TARGETS_INL_H_
#endif

#include "core/simd-inl.h"
#include "kernels/table.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

// Another version of Highway may have other baselines. They must not be used without a fused
// MulAdd.
static_assert(UNROLL_ONE_LANE || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2 ||
              HWY_TARGET == HWY_NEON);

template <class T>
void gemm(const kernels::Gemm<T>& g) noexcept;
template <class T>
void map_exp(const T* in, T* out, std::size_t count) noexcept;
template <class T>
void map_tanh(const T* in, T* out, std::size_t count) noexcept;
template <class T>
void bernoulli(const kernels::Bernoulli& b, std::uint32_t begin, std::uint32_t end, T one,
               T* out) noexcept;
template <class T>
std::uint64_t fingerprint(const T* numbers, std::size_t count, std::uint64_t seed) noexcept;

template <class T>
struct CellTable {
  static const kernels::CellKernels<T> cells[kernels::kCells];
};

template <class T>
struct RowTable {
  static const kernels::RowKernels<T> rows;
};

/// f, or null in the library for inference.
template <class F>
constexpr F* of_training(F* f) {
  return kernels::kTraining ? f : nullptr;
}

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
