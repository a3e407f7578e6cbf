// r = sigmoid(z_r), u = sigmoid(z_u), n = tanh(x_n + r h_n) keep, h' = (1 - u) n + u h
//
// PyTorch's name for u is z. x_n and h_n are the candidate's sums for the input and for the state
// (Cho 2014; https://pytorch.org/docs/stable/generated/torch.nn.GRU.html).
#if defined(UNROLL_KERNELS_GRU_CELL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_GRU_CELL_INL_H_
#undef UNROLL_KERNELS_GRU_CELL_INL_H_
#else
#define UNROLL_KERNELS_GRU_CELL_INL_H_
#endif

#include "core/math-inl.h"
#include "kernels/cell.h"
#include "kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

/// z: [z_r | z_u | x_n | h_n] becomes [r | u | tanh | h_n].
template <class T>
void gru_forward(const kernels::CellForward<T>& call) noexcept {
  const std::size_t hidden = call.hidden;
  for (std::size_t n = 0; n < call.rows; ++n) {
    T* const z = call.z.at(n);
    T* const h = call.h.at(n);
    const T* const before = call.h_before.at_or_null(n);
    const T* const keep = call.keep.at_or_null(n);
    for_vectors(simd::ScalableTag<T>(), call.units.begin, call.units.end,
                [&](auto d, std::size_t j) HWY_ATTR {
                  T* const at = z + j;
                  const auto r = sigmoid(d, simd::LoadU(d, at));
                  const auto u = sigmoid(d, simd::LoadU(d, at + hidden));
                  const auto x_n = simd::LoadU(d, at + 2 * hidden),
                             h_n = simd::LoadU(d, at + 3 * hidden);
                  const auto t = tanh(d, simd::MulAdd(r, h_n, x_n));
                  const auto candidate = keep ? simd::Mul(t, simd::LoadU(d, keep + j)) : t;
                  const auto change = simd::Sub(load_or_zero(d, before, j), candidate);
                  simd::StoreU(simd::MulAdd(u, change, candidate), d, h + j);
                  simd::StoreU(r, d, at);
                  simd::StoreU(u, d, at + hidden);
                  simd::StoreU(t, d, at + 2 * hidden);
                });
  }
}

template <class T>
void gru_backward(const kernels::CellBackward<T>& call) noexcept {
  const std::size_t hidden = call.hidden;
  for (std::size_t n = 0; n < call.rows; ++n) {
    T* const z = call.z.at(n);
    T* const grad = call.dh.at(n);
    const T* const before = call.h_before.at_or_null(n);
    const T* const keep = call.keep.at_or_null(n);
    for_vectors(
        simd::ScalableTag<T>(), call.units.begin, call.units.end,
        [&](auto d, std::size_t j) HWY_ATTR {
          T* const at = z + j;
          const auto one = simd::Set(d, T{1});
          const auto r = simd::LoadU(d, at), u = simd::LoadU(d, at + hidden);
          const auto t = simd::LoadU(d, at + 2 * hidden), h_n = simd::LoadU(d, at + 3 * hidden);
          const auto dh = simd::LoadU(d, grad + j);
          const auto candidate = keep ? simd::Mul(t, simd::LoadU(d, keep + j)) : t;
          const auto direct = simd::Mul(dh, u);
          const auto d_candidate = simd::Sub(dh, direct);
          const auto d_t = keep ? simd::Mul(d_candidate, simd::LoadU(d, keep + j)) : d_candidate;
          const auto d_x_n = simd::Mul(d_t, simd::NegMulAdd(t, t, one));
          const auto d_h_n = simd::Mul(d_x_n, r);
          const auto d_r = simd::Mul(simd::Mul(d_h_n, h_n), simd::Sub(one, r));
          const auto d_u = simd::Mul(simd::Mul(direct, simd::Sub(one, u)),
                                     simd::Sub(load_or_zero(d, before, j), candidate));
          simd::StoreU(d_r, d, at);
          simd::StoreU(d_u, d, at + hidden);
          simd::StoreU(d_x_n, d, at + 2 * hidden);
          simd::StoreU(d_h_n, d, at + 3 * hidden);
          simd::StoreU(direct, d, grad + j);
        });
  }
}

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
