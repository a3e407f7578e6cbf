#include <cstring>

#include "core/parallel.h"
#include "kernels/recurrent.h"
#include "kernels/recurrent_slices.h"
#include "kernels/transpose.h"

namespace unroll::kernels {
namespace {

Epilogue activation(Nonlinearity f) {
  return f == Nonlinearity::relu ? Epilogue::relu : Epilogue::tanh;
}

}  // namespace

template <class T>
void pack(const RecurrentShape& shape, const RecurrentWeights<T>* weights, T* packed) noexcept {
  const std::size_t stride = padded_row(shape.hidden);
  for (std::size_t l = 0; l < shape.layers; ++l) {
    const RecurrentWeights<T>& w = weights[l];
    const std::size_t inputs = shape.input_of(l);
    for (std::size_t j = 0; j < shape.hidden; ++j)
      packed[j] = shape.bias ? w.bias_ih[j] + w.bias_hh[j] : T{0};
    transpose(w.weight_ih, shape.hidden, inputs, packed + stride, stride);
    transpose(w.weight_hh, shape.hidden, shape.hidden, packed + (1 + inputs) * stride, stride);
    if constexpr (std::is_same_v<T, float>)
      if (shape.bf16) {
        T* const rows = packed + stride;
        std::uint32_t* pairs = as_pairs(rows + (inputs + shape.hidden) * stride);
        const auto row = static_cast<std::ptrdiff_t>(stride);
        make_pairs(rows, row, inputs, shape.hidden, pairs, stride);
        make_pairs(rows + inputs * stride, row, shape.hidden, shape.hidden,
                   pairs + pairs_size(inputs, stride), stride);
      }
    packed += packed_layer_size(shape, l, stride);
  }
}

namespace {

/// Rows of x_t and of h_{t-1}, and where those of h_t go. `state` is null for zeros.
template <class T>
struct Step {
  std::size_t rows;
  const T* input;
  std::ptrdiff_t input_row;
  const T* state;
  T* out;
  std::ptrdiff_t state_row;
};

template <class T, class Multiply>
void step_layer(Multiply gemm, const RecurrentShape& s, std::size_t layer, const T* packed,
                const Step<T>& step) {
  const std::size_t stride = padded_row(s.hidden), inputs = s.input_of(layer);
  Gemm<T> g;
  g.rows = step.rows;
  g.columns = s.hidden;
  g.init = packed;  // the bias, the same for each row
  Product<T>& from_input = g.products[0];
  from_input.a = step.input;
  from_input.a_row = step.input_row;
  from_input.b = packed + stride;
  from_input.b_k = static_cast<std::ptrdiff_t>(stride);
  from_input.depth = inputs;
  Product<T>& from_state = g.products[1];
  from_state.a = step.state;
  from_state.a_row = step.state_row;
  from_state.b = packed + (1 + inputs) * stride;
  from_state.b_k = static_cast<std::ptrdiff_t>(stride);
  from_state.depth = s.hidden;
  g.count = step.state ? 2 : 1;  // a zero state adds nothing
  g.out = step.out;
  g.out_row = step.state_row;
  g.epilogue = activation(s.nonlinearity);
  if (s.bf16) {
    const T* pairs = packed + (1 + inputs + s.hidden) * stride;
    from_input.b_pairs = as_pairs(pairs);
    from_state.b_pairs = as_pairs(pairs) + pairs_size(inputs, stride);
    from_input.b_pairs_row = from_state.b_pairs_row = stride;
  }
  gemm(g);
}

}  // namespace

template <class T>
void forward(const RecurrentForward<T>& call) {
  const RecurrentShape& s = call.shape;
  const RecurrentPlan plan(s);
  const auto gemm = product_of<T>(s);
  const std::size_t stride = plan.row_stride, plane = s.batch * stride;  // one slot: (N, S)
  const auto row = static_cast<std::ptrdiff_t>(stride);
  const auto slot = [&](std::size_t layer, std::size_t index) {
    return call.states + (layer * call.slots + index % call.slots) * plane;
  };
  const std::size_t tasks = tasks_for(s, plan.slices);
  parallel(tasks, [&](std::size_t task) {
    const Rows rows = rows_of_slices(s, plan.slices, task * plan.slices / tasks,
                                     (task + 1) * plan.slices / tasks);
    const std::size_t offset = rows.begin * stride;
    if (call.h_0)
      for (std::size_t l = 0; l < s.layers; ++l)
        for (std::size_t n = rows.begin; n < rows.begin + rows.count; ++n)
          std::memcpy(slot(l, 0) + n * stride, call.h_0 + (l * s.batch + n) * s.hidden,
                      s.hidden * sizeof(T));
    for (std::size_t t = 0; t < s.steps; ++t) {
      const T* packed = call.packed;
      for (std::size_t l = 0; l < s.layers; ++l) {
        const T* input = l > 0 ? slot(l - 1, t + 1) + offset
                               : call.input + static_cast<std::ptrdiff_t>(t) * call.input_step +
                                     static_cast<std::ptrdiff_t>(rows.begin) * call.input_row;
        step_layer<T>(
            gemm, s, l, packed,
            {rows.count, input, l > 0 ? row : call.input_row,
             t > 0 || call.h_0 ? slot(l, t) + offset : nullptr, slot(l, t + 1) + offset, row});
        packed += packed_layer_size(s, l, stride);
      }
    }
  });
}

template <class T>
void step(const RecurrentShape& shape, const T* packed, const T* input, const T* h,
          T* next) noexcept {
  const auto gemm = product_of<T>(shape);
  for (std::size_t l = 0; l < shape.layers; ++l) {
    step_layer<T>(gemm, shape, l, packed,
                  {1, l > 0 ? next + (l - 1) * shape.hidden : input, 0,
                   h ? h + l * shape.hidden : nullptr, next + l * shape.hidden, 0});
    packed += packed_layer_size(shape, l, padded_row(shape.hidden));
  }
}

#define UNROLL_INSTANTIATE(T)                                                         \
  template void pack(const RecurrentShape&, const RecurrentWeights<T>*, T*) noexcept; \
  template void forward(const RecurrentForward<T>&);                                  \
  template void step(const RecurrentShape&, const T*, const T*, const T*, T*) noexcept;
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
