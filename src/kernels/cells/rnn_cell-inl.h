// h = f(z), with f = tanh or relu. If there is nothing but the activation, the driver does not call
// this cell: it applies f in the product's registers.
#if defined(UNROLL_KERNELS_RNN_CELL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_RNN_CELL_INL_H_
#undef UNROLL_KERNELS_RNN_CELL_INL_H_
#else
#define UNROLL_KERNELS_RNN_CELL_INL_H_
#endif

#include "core/math-inl.h"
#include "kernels/cell.h"
#include "kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

struct Tanh {
  template <class D, class V>
  static HWY_INLINE V of(D d, V x) {
    return tanh(d, x);
  }
  /// f's derivative, from its value y.
  template <class D, class V>
  static HWY_INLINE V times_derivative(D d, V grad, V y) {
    return simd::Mul(simd::NegMulAdd(y, y, simd::Set(d, simd::TFromD<D>{1})), grad);
  }
};

struct Relu {
  template <class D, class V>
  static HWY_INLINE V of(D d, V x) {
    return simd::IfThenElse(simd::Lt(x, simd::Zero(d)), simd::Zero(d), x);
  }
  template <class D, class V>
  static HWY_INLINE V times_derivative(D d, V grad, V y) {
    return simd::IfThenElse(simd::Le(y, simd::Zero(d)), simd::Zero(d), grad);
  }
};

template <class F, class T>
void rnn_forward(const kernels::CellForward<T>& call) noexcept {
  for (std::size_t n = 0; n < call.rows; ++n) {
    T* const z = call.z.at(n);
    T* const h = call.h.at(n);
    for_vectors(simd::ScalableTag<T>(), call.units.begin, call.units.end,
                [&](auto d, std::size_t j) HWY_ATTR {
                  const auto y = F::of(d, simd::LoadU(d, z + j));
                  simd::StoreU(y, d, z + j);
                  simd::StoreU(y, d, h + j);
                });
  }
}

template <class F, class T>
void rnn_backward(const kernels::CellBackward<T>& call) noexcept {
  for (std::size_t n = 0; n < call.rows; ++n) {
    T* const z = call.z.at(n);
    const T* const dh = call.dh.at(n);
    for_vectors(simd::ScalableTag<T>(), call.units.begin, call.units.end,
                [&](auto d, std::size_t j) HWY_ATTR {
                  const auto dz =
                      F::times_derivative(d, simd::LoadU(d, dh + j), simd::LoadU(d, z + j));
                  simd::StoreU(dz, d, z + j);
                });
  }
}

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
