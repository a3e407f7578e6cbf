// Element-wise passes over rows, and normalisation of rows. kernels/rows.h documents each.
#if defined(UNROLL_KERNELS_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_ROWS_INL_H_
#undef UNROLL_KERNELS_ROWS_INL_H_
#else
#define UNROLL_KERNELS_ROWS_INL_H_
#endif

#include <algorithm>
#include <cmath>

#include "kernels/rows.h"
#include "kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

using kernels::Extent;
using kernels::Matrix;
using kernels::NormalisedSums;
using kernels::Zone;

/// Calls f(d, j, n) for all vectors of all rows.
template <class T, class F>
HWY_INLINE void for_rows(Extent extent, F f) {
  for (std::size_t n = 0; n < extent.rows; ++n)
    for_vectors(simd::ScalableTag<T>(), 0, extent.columns,
                [&](auto d, std::size_t j) HWY_ATTR { f(d, j, n); });
}

template <class T>
void multiply_rows(Extent extent, Matrix<T> out, Matrix<const T> a, Matrix<const T> b) noexcept {
  for_rows<T>(extent, [&](auto d, std::size_t j, std::size_t n) HWY_ATTR {
    simd::StoreU(simd::Mul(simd::LoadU(d, a.at(n) + j), simd::LoadU(d, b.at(n) + j)), d,
                 out.at(n) + j);
  });
}

template <class T>
void add_rows(Extent extent, Matrix<T> out, Matrix<const T> a) noexcept {
  for_rows<T>(extent, [&](auto d, std::size_t j, std::size_t n) HWY_ATTR {
    T* const to = out.at(n) + j;
    simd::StoreU(simd::Add(simd::LoadU(d, to), simd::LoadU(d, a.at(n) + j)), d, to);
  });
}

template <class T>
void multiply_add_rows(Extent extent, Matrix<T> out, Matrix<const T> a,
                       Matrix<const T> b) noexcept {
  for_rows<T>(extent, [&](auto d, std::size_t j, std::size_t n) HWY_ATTR {
    T* const to = out.at(n) + j;
    simd::StoreU(
        simd::MulAdd(simd::LoadU(d, a.at(n) + j), simd::LoadU(d, b.at(n) + j), simd::LoadU(d, to)),
        d, to);
  });
}

template <class D, class T>
HWY_INLINE auto zone_at(D d, const Zone<T>& zone, std::size_t n, std::size_t j) {
  return zone.mask.data ? simd::LoadU(d, zone.mask.at(n) + j) : simd::Set(d, zone.rate);
}

template <class T>
void keep_zone(Extent extent, Matrix<T> state, Matrix<const T> before, Zone<T> zone) noexcept {
  for_rows<T>(extent, [&](auto d, std::size_t j, std::size_t n) HWY_ATTR {
    T* const to = state.at(n) + j;
    const auto z = zone_at(d, zone, n, j);
    const auto old = load_or_zero(d, before.data ? before.at(n) : nullptr, j);
    const auto fresh = simd::Mul(simd::Sub(simd::Set(d, T{1}), z), simd::LoadU(d, to));
    simd::StoreU(simd::MulAdd(z, old, fresh), d, to);
  });
}

template <class T>
void split_zone(Extent extent, Matrix<T> grad, Matrix<T> kept, Zone<T> zone) noexcept {
  for_rows<T>(extent, [&](auto d, std::size_t j, std::size_t n) HWY_ATTR {
    T* const from = grad.at(n) + j;
    const auto z = zone_at(d, zone, n, j);
    const auto g = simd::LoadU(d, from);
    simd::StoreU(simd::Mul(z, g), d, kept.at(n) + j);
    simd::StoreU(simd::Mul(simd::Sub(simd::Set(d, T{1}), z), g), d, from);
  });
}

template <class T>
void flush_tiny(Extent extent, Matrix<T> x) noexcept {
  for_rows<T>(extent, [&](auto d, std::size_t j, std::size_t n) HWY_ATTR {
    T* const at = x.at(n) + j;
    const auto value = simd::LoadU(d, at);
    const auto tiny = simd::Lt(simd::Abs(value), simd::Set(d, kernels::kTiny<T>));
    simd::StoreU(simd::IfThenElse(tiny, simd::Zero(d), value), d, at);
  });
}

template <class T>
struct RowStatistics {
  T mean, inverse_deviation;
};

/// Mean and deviation from the sums of x - shift and of its square. A shift near the mean keeps the
/// difference accurate.
template <class T>
HWY_INLINE RowStatistics<T> statistics_from(T shift, T sum, T squares, std::size_t count) {
  constexpr T kEpsilon = T(1e-5);
  const auto n = static_cast<T>(count);
  const T away = sum / n, variance = squares / n - away * away;
  return {shift + away, T{1} / std::sqrt((variance < 0 ? 0 : variance) + kEpsilon)};
}

template <class T>
HWY_INLINE RowStatistics<T> statistics_of(const T* x, std::size_t count) {
  const auto sums = row_sums<T, 2>(count, [&](auto d, std::size_t j) HWY_ATTR {
    const auto away = simd::Sub(simd::LoadU(d, x + j), simd::Set(d, x[0]));
    return std::array{away, simd::Mul(away, away)};
  });
  return statistics_from(x[0], sums[0], sums[1], count);
}

template <class T>
void normalise_sums(const NormalisedSums<T>& call) noexcept {
  for (std::size_t n = 0; n < call.rows; ++n) {
    T* const x = call.z.at(n);
    T* const h = x + call.gates;
    T* const cell = h + call.gates;
    T* const statistics = call.statistics.at(n);
    const T x_shift = x[0], h_shift = h[0];
    const auto sums = row_sums<T, 4>(call.gates, [&](auto d, std::size_t j) HWY_ATTR {
      const auto x_away = simd::Sub(simd::LoadU(d, x + j), simd::Set(d, x_shift));
      const auto h_away = simd::Sub(simd::LoadU(d, h + j), simd::Set(d, h_shift));
      return std::array{x_away, simd::Mul(x_away, x_away), h_away, simd::Mul(h_away, h_away)};
    });
    const auto of_x = statistics_from(x_shift, sums[0], sums[1], call.gates);
    const auto of_h = statistics_from(h_shift, sums[2], sums[3], call.gates);
    statistics[0] = of_x.inverse_deviation;
    statistics[1] = of_h.inverse_deviation;
    // Replaces x by xhat. Returns xhat scaled.
    const auto scaled = [](auto d, std::size_t j, T* row, const RowStatistics<T>& of,
                           const T* weight, const T* bias) HWY_ATTR {
      const auto away = simd::Sub(simd::LoadU(d, row + j), simd::Set(d, of.mean));
      const auto xhat = simd::Mul(away, simd::Set(d, of.inverse_deviation));
      simd::StoreU(xhat, d, row + j);
      return simd::MulAdd(simd::LoadU(d, weight + j), xhat, simd::LoadU(d, bias + j));
    };
    const std::size_t apart = call.gates - call.joint;
    const auto parts = [&](std::size_t begin, std::size_t end, bool joint) HWY_ATTR {
      for_vectors(simd::ScalableTag<T>(), begin, end, [&](auto d, std::size_t j) HWY_ATTR {
        const auto from_x = scaled(d, j, x, of_x, call.input_weight, call.input_bias);
        const auto from_h = scaled(d, j, h, of_h, call.state_weight, call.state_bias);
        simd::StoreU(joint ? simd::Add(from_x, from_h) : from_x, d, cell + j);
        if (!joint) simd::StoreU(from_h, d, cell + apart + j);
      });
    };
    parts(0, call.joint, true);
    parts(call.joint, call.gates, false);
  }
}

/// Replaces xhat by the gradient of the row before normalisation. dz is the gradient after scaling.
/// Adds to the gradients of weight and bias.
template <class T>
HWY_INLINE void normalise_row_backward(T* xhat, const T* dz, std::size_t count, T inverse_deviation,
                                       const T* weight, T* grad_weight, T* grad_bias) {
  const auto sums = row_sums<T, 2>(count, [&](auto d, std::size_t j) HWY_ATTR {
    const auto grad = simd::LoadU(d, dz + j), x = simd::LoadU(d, xhat + j);
    simd::StoreU(simd::MulAdd(grad, x, simd::LoadU(d, grad_weight + j)), d, grad_weight + j);
    simd::StoreU(simd::Add(simd::LoadU(d, grad_bias + j), grad), d, grad_bias + j);
    const auto scaled = simd::Mul(simd::LoadU(d, weight + j), grad);
    return std::array{scaled, simd::Mul(scaled, x)};
  });
  const T mean = sums[0] / static_cast<T>(count), along = sums[1] / static_cast<T>(count);
  for_vectors(simd::ScalableTag<T>(), 0, count, [&](auto d, std::size_t j) HWY_ATTR {
    const auto scaled = simd::Mul(simd::LoadU(d, weight + j), simd::LoadU(d, dz + j));
    const auto centred = simd::Sub(scaled, simd::Set(d, mean));
    const auto past = simd::NegMulAdd(simd::LoadU(d, xhat + j), simd::Set(d, along), centred);
    simd::StoreU(simd::Mul(simd::Set(d, inverse_deviation), past), d, xhat + j);
  });
}

template <class T>
void normalise_sums_backward(const NormalisedSums<T>& call) noexcept {
  const std::size_t gates = call.gates, joint = call.joint;
  for (std::size_t n = 0; n < call.rows; ++n) {
    T* const x = call.z.at(n);
    T* const h = x + gates;
    T* const cell = h + gates;
    const T* const statistics = call.statistics.at(n);
    normalise_row_backward(x, cell, gates, statistics[0], call.input_weight, call.gradients,
                           call.gradients + 2 * gates);
    // Moves the state's own part over the input's own, so that the row is [joint | state's].
    std::copy(cell + gates, cell + 2 * gates - joint, cell + joint);
    normalise_row_backward(h, cell, gates, statistics[1], call.state_weight, call.gradients + gates,
                           call.gradients + 3 * gates);
  }
}

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
