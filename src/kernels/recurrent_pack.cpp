#include <algorithm>

#include "core/parallel.h"
#include "kernels/recurrent_layout.h"
#include "kernels/transpose.h"

namespace unroll::kernels {
namespace {

/// to = a + b; null means zeros.
template <class T>
void add(const T* a, const T* b, std::size_t count, T* to) {
  for (std::size_t j = 0; j < count; ++j) to[j] = (a ? a[j] : T{0}) + (b ? b[j] : T{0});
}

template <class T>
const T* from(const T* vector, std::size_t first) {
  return vector ? vector + first : nullptr;
}

}  // namespace

template <class T>
void pack(const RecurrentShape& shape, const RecurrentWeights<T>& w, T* packed) noexcept {
  using enum WeightRole;
  const Sums sums(shape);
  const PackedLayout at(shape);
  if (shape.layer_norm) {
    const auto copy = [&](const T* vector, std::size_t place, std::size_t count) {
      std::copy_n(vector, count, packed + place);
    };
    copy(w[norm_ih_weight], at.norm_ih_weight, sums.gates);
    copy(w[norm_hh_weight], at.norm_hh_weight, sums.gates);
    add(w[norm_ih_bias], w[bias_ih], sums.gates, packed + at.norm_ih_bias);
    add(w[norm_hh_bias], w[bias_hh], sums.gates, packed + at.norm_hh_bias);
    if (w[norm_c_weight]) {
      copy(w[norm_c_weight], at.norm_c_weight, shape.hidden);
      copy(w[norm_c_bias], at.norm_c_bias, shape.hidden);
    }
  } else {
    T* const bias = packed + at.bias;
    add(w[bias_ih], w[bias_hh], sums.both, bias);
    add<T>(from(w[bias_ih], sums.both), nullptr, sums.gates - sums.both, bias + sums.both);
    add<T>(from(w[bias_hh], sums.both), nullptr, sums.gates - sums.both, bias + sums.input_end);
  }
  const std::size_t width = at.panels.width;
  const auto into_panels = [&](const T* from, std::size_t columns, std::size_t place) {
    at.panels.for_parts(0, sums.gates, [&](std::size_t begin, std::size_t end) {
      transpose(from + begin * columns, end - begin, columns,
                packed + place + at.panels.place(begin), width);
    });
  };
  into_panels(w[weight_ih], shape.input, at.weight_ih);
  into_panels(w[weight_hh], shape.output(), at.weight_hh);
  if (shape.projection)
    transpose(w[weight_hr], shape.projection, shape.hidden, packed + at.weight_hr,
              padded_row(shape.projection));
  if constexpr (std::is_same_v<T, float>)
    if (shape.bf16) {
      const auto row = static_cast<std::ptrdiff_t>(width);
      std::uint32_t* const pairs = as_pairs(packed + at.pairs);
      make_pairs(packed + at.weight_ih, row, shape.input, sums.gates, pairs, width);
      make_pairs(packed + at.weight_hh, row, shape.output(), sums.gates,
                 pairs + pairs_size(shape.input, width), width);
    }
}

template <class T>
void pack_backward(const RecurrentBackward<T>& call) noexcept {
  const RecurrentShape& shape = call.shape;
  const std::size_t gates = Sums(shape).gates;
  const ScratchLayout at(shape);
  const auto copy = [&](const T* from, std::size_t rows, std::size_t columns, const Panels& panels,
                        std::size_t place) {
    T* const to = call.scratch + place;
    constexpr std::size_t kRows = 64;
    parallel((rows + kRows - 1) / kRows, [&](std::size_t part) {
      const std::size_t last = std::min(rows, (part + 1) * kRows);
      panels.for_parts(0, columns, [&](std::size_t begin, std::size_t end) {
        for (std::size_t r = part * kRows; r < last; ++r)
          std::copy_n(from + r * columns + begin, end - begin,
                      to + panels.place(begin) + r * panels.width);
      });
    });
  };
  const auto copy_for_product = [&](const T* from, std::size_t columns, const Panels& panels,
                                    std::size_t place) {
    if constexpr (std::is_same_v<T, float>)
      if (shape.bf16)
        return make_pairs(from, static_cast<std::ptrdiff_t>(columns), gates, columns,
                          as_pairs(call.scratch + place), panels.width);
    copy(from, gates, columns, panels, place);
  };
  copy_for_product(call.weights[WeightRole::weight_hh], shape.output(), at.hh_panels, at.weight_hh);
  if (call.grad_input.data)
    copy_for_product(call.weights[WeightRole::weight_ih], shape.input, at.ih_panels, at.weight_ih);
  if (shape.projection) {
    const Panels one{padded_row(shape.hidden), 0};
    copy(call.weights[WeightRole::weight_hr], shape.projection, shape.hidden, one, at.weight_hr);
  }
}

template void pack(const RecurrentShape&, const RecurrentWeights<float>&, float*) noexcept;
template void pack(const RecurrentShape&, const RecurrentWeights<double>&, double*) noexcept;
template void pack_backward(const RecurrentBackward<float>&) noexcept;
template void pack_backward(const RecurrentBackward<double>&) noexcept;

}  // namespace unroll::kernels
