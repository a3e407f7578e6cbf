// i = sigmoid(z_i), f = sigmoid(z_f), g = tanh(z_g), o = sigmoid(z_o),
// c' = f c + i g keep, h' = o tanh(c'), or o tanh(norm(c')) with layer normalisation.
//
// Hochreiter 1997, Gers 2000; https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html
#if defined(UNROLL_KERNELS_LSTM_CELL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_LSTM_CELL_INL_H_
#undef UNROLL_KERNELS_LSTM_CELL_INL_H_
#else
#define UNROLL_KERNELS_LSTM_CELL_INL_H_
#endif

#include "core/math-inl.h"
#include "kernels/cell.h"
#include "kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

/// norm(c) at j, from the statistics of its row.
template <class D, class V, class T = simd::TFromD<D>>
HWY_INLINE V normalised(D d, V c, const T* statistics) {
  return simd::Mul(simd::Sub(c, simd::Set(d, statistics[0])), simd::Set(d, statistics[1]));
}
template <class D, class V, class T = simd::TFromD<D>>
HWY_INLINE V scaled(D d, V xhat, const kernels::MemoryNorm<T>& norm, std::size_t j) {
  return simd::MulAdd(simd::LoadU(d, norm.weight + j), xhat, simd::LoadU(d, norm.bias + j));
}

/// z: [z_i | z_f | z_g | z_o] becomes [i | f | g | o].
template <class T>
void lstm_forward(const kernels::CellForward<T>& call) noexcept {
  const std::size_t hidden = call.hidden;
  for (std::size_t n = 0; n < call.rows; ++n) {
    T* const z = call.z.at(n);
    T* const c = call.c.at(n);
    T* const h = call.h.at(n);
    const T* const before = call.c_before.at_or_null(n);
    const T* const keep = call.keep.at_or_null(n);
    const simd::ScalableTag<T> all;
    for_vectors(all, call.units.begin, call.units.end, [&](auto d, std::size_t j) HWY_ATTR {
      T* const at = z + j;
      const auto i = sigmoid(d, simd::LoadU(d, at));
      const auto f = sigmoid(d, simd::LoadU(d, at + hidden));
      const auto g = tanh(d, simd::LoadU(d, at + 2 * hidden));
      const auto o = sigmoid(d, simd::LoadU(d, at + 3 * hidden));
      const auto candidate = keep ? simd::Mul(g, simd::LoadU(d, keep + j)) : g;
      const auto memory = simd::MulAdd(f, load_or_zero(d, before, j), simd::Mul(i, candidate));
      simd::StoreU(i, d, at);
      simd::StoreU(f, d, at + hidden);
      simd::StoreU(g, d, at + 2 * hidden);
      simd::StoreU(o, d, at + 3 * hidden);
      simd::StoreU(memory, d, c + j);
      if (!call.norm.weight) simd::StoreU(simd::Mul(o, tanh(d, memory)), d, h + j);
    });
    if (!call.norm.weight) continue;
    T* const statistics = call.norm.statistics.at(n);
    const RowStatistics<T> s = statistics_of(c, hidden);
    statistics[0] = s.mean;
    statistics[1] = s.inverse_deviation;
    for_vectors(all, call.units.begin, call.units.end, [&](auto d, std::size_t j) HWY_ATTR {
      const auto xhat = normalised(d, simd::LoadU(d, c + j), statistics);
      simd::StoreU(
          simd::Mul(simd::LoadU(d, z + 3 * hidden + j), tanh(d, scaled(d, xhat, call.norm, j))), d,
          h + j);
    });
  }
}

template <class T>
void lstm_backward(const kernels::CellBackward<T>& call) noexcept {
  const std::size_t hidden = call.hidden;
  const bool norm = call.norm.weight != nullptr;
  for (std::size_t n = 0; n < call.rows; ++n) {
    T* const z = call.z.at(n);
    T* const grad_h = call.dh.at(n);
    T* const grad_c = call.dc.at(n);
    const T* const before = call.c_before.at_or_null(n);
    const T* const keep = call.keep.at_or_null(n);
    const T* const statistics = call.norm.statistics.at_or_null(n);
    const simd::ScalableTag<T> all;
    const auto candidate_at = [&](auto d, std::size_t j) HWY_ATTR {
      const auto g = simd::LoadU(d, z + 2 * hidden + j);
      return keep ? simd::Mul(g, simd::LoadU(d, keep + j)) : g;
    };
    // c' as forward computed it, before zoneout.
    const auto memory_at = [&](auto d, std::size_t j) HWY_ATTR {
      return simd::MulAdd(simd::LoadU(d, z + hidden + j), load_or_zero(d, before, j),
                          simd::Mul(simd::LoadU(d, z + j), candidate_at(d, j)));
    };
    if (norm) {
      // h = o tanh(s), s = scaled(xhat). Finishes z_o's gradient, and replaces h's gradient by that
      // of s.
      for_vectors(all, call.units.begin, call.units.end, [&](auto d, std::size_t j) HWY_ATTR {
        const auto one = simd::Set(d, T{1});
        const auto xhat = normalised(d, memory_at(d, j), statistics);
        const auto y = tanh(d, scaled(d, xhat, call.norm, j));
        const auto o = simd::LoadU(d, z + 3 * hidden + j), dh = simd::LoadU(d, grad_h + j);
        const auto ds = simd::Mul(simd::Mul(dh, o), simd::NegMulAdd(y, y, one));
        T *const weight = call.norm.grad_weight + j, *const bias = call.norm.grad_bias + j;
        simd::StoreU(simd::MulAdd(ds, xhat, simd::LoadU(d, weight)), d, weight);
        simd::StoreU(simd::Add(simd::LoadU(d, bias), ds), d, bias);
        simd::StoreU(simd::Mul(simd::Mul(dh, y), simd::Mul(o, simd::Sub(one, o))), d,
                     z + 3 * hidden + j);
        simd::StoreU(simd::Mul(ds, simd::LoadU(d, call.norm.weight + j)), d, grad_h + j);
      });
      const auto count = static_cast<T>(hidden);
      const auto sums = row_sums<T, 2>(hidden, [&](auto d, std::size_t j) HWY_ATTR {
        const auto dxhat = simd::LoadU(d, grad_h + j);
        return std::array{dxhat, simd::Mul(dxhat, normalised(d, memory_at(d, j), statistics))};
      });
      const T mean = sums[0] / count, along = sums[1] / count;
      for_vectors(all, call.units.begin, call.units.end, [&](auto d, std::size_t j) HWY_ATTR {
        const auto xhat = normalised(d, memory_at(d, j), statistics);
        const auto centred = simd::Sub(simd::LoadU(d, grad_h + j), simd::Set(d, mean));
        const auto through = simd::NegMulAdd(xhat, simd::Set(d, along), centred);
        simd::StoreU(simd::MulAdd(simd::Set(d, statistics[1]), through, simd::LoadU(d, grad_c + j)),
                     d, grad_c + j);
      });
    }
    for_vectors(all, call.units.begin, call.units.end, [&](auto d, std::size_t j) HWY_ATTR {
      T* const at = z + j;
      const auto one = simd::Set(d, T{1});
      const auto i = simd::LoadU(d, at), f = simd::LoadU(d, at + hidden);
      const auto g = simd::LoadU(d, at + 2 * hidden), o = simd::LoadU(d, at + 3 * hidden);
      const auto candidate = candidate_at(d, j);
      auto dc = simd::LoadU(d, grad_c + j);
      if (!norm) {
        const auto y = tanh(d, memory_at(d, j));
        const auto dh = simd::LoadU(d, grad_h + j);
        const auto dh_o = simd::Mul(dh, o);
        dc = simd::MulAdd(dh_o, simd::NegMulAdd(y, y, one), dc);
        simd::StoreU(simd::Mul(simd::Mul(dh_o, y), simd::Sub(one, o)), d, at + 3 * hidden);
      }
      const auto dg =
          keep ? simd::Mul(simd::Mul(dc, i), simd::LoadU(d, keep + j)) : simd::Mul(dc, i);
      const auto dc_f = simd::Mul(dc, f), dc_i = simd::Mul(dc, i);
      simd::StoreU(simd::Mul(simd::Mul(dc_i, candidate), simd::Sub(one, i)), d, at);
      simd::StoreU(simd::Mul(simd::Mul(dc_f, load_or_zero(d, before, j)), simd::Sub(one, f)), d,
                   at + hidden);
      simd::StoreU(simd::Mul(dg, simd::NegMulAdd(g, g, one)), d, at + 2 * hidden);
      simd::StoreU(dc_f, d, grad_c + j);
    });
  }
}

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
