#include "kernels/recurrent.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/parallel.h"

namespace unroll::kernels {
namespace {

// Enough rows to use each weight several times while it is in a register, few enough that a batch
// of 100 makes 8 slices.
constexpr std::size_t kSliceRows = 8;
// Private gradients of all slices together stay below this many elements.
constexpr std::size_t kGradientLimit = std::size_t{1} << 24;

std::size_t slices_of(const RecurrentShape& shape, std::size_t gradient_size) {
  // A power of two, so that the tree of gradients is complete.
  const std::size_t by_rows = std::bit_floor(std::max<std::size_t>(shape.batch / kSliceRows, 1));
  const std::size_t by_memory = std::bit_floor(
      std::max<std::size_t>(kGradientLimit / std::max<std::size_t>(gradient_size, 1), 1));
  return std::min(by_rows, by_memory);
}

struct Rows {
  std::size_t begin, count;
};
Rows slice_rows(const RecurrentShape& shape, std::size_t slices, std::size_t index) {
  const std::size_t begin = index * shape.batch / slices;
  return {begin, (index + 1) * shape.batch / slices - begin};
}

std::size_t packed_layer_size(const RecurrentShape& shape, std::size_t layer, std::size_t stride) {
  return (shape.input_of(layer) + shape.hidden + 1) * stride;
}

Epilogue activation(Nonlinearity f) {
  return f == Nonlinearity::relu ? Epilogue::relu : Epilogue::tanh;
}
Epilogue derivative(Nonlinearity f) {
  return f == Nonlinearity::relu ? Epilogue::relu_derivative : Epilogue::tanh_derivative;
}

}  // namespace

RecurrentPlan::RecurrentPlan(const RecurrentShape& shape) {
  const GradientOffsets end = gradient_offsets(shape, shape.layers);
  gradient_size = end.weight_ih;
  slices = slices_of(shape, gradient_size);
  slice_rows = (shape.batch + slices - 1) / slices;
  packed_stride = (shape.hidden + 15) / 16 * 16;
  packed_size = 0;
  for (std::size_t l = 0; l < shape.layers; ++l)
    packed_size += packed_layer_size(shape, l, packed_stride);
  // dz of all steps; with several layers the gradient handed down; and where a step's chains start.
  const std::size_t sequence = shape.steps * slice_rows * shape.hidden;
  backward_scratch = sequence * (shape.layers > 1 ? 2 : 1) + slice_rows * shape.hidden;
}

GradientOffsets gradient_offsets(const RecurrentShape& shape, std::size_t layer) {
  std::size_t start = 0;
  const auto aligned = [](std::size_t n) { return (n + 15) / 16 * 16; };
  GradientOffsets at{};
  for (std::size_t l = 0; l <= layer; ++l) {
    at.weight_ih = start;
    at.weight_hh = at.weight_ih + aligned(shape.hidden * shape.input_of(l));
    at.bias = at.weight_hh + aligned(shape.hidden * shape.hidden);
    start = at.bias + (shape.bias ? aligned(shape.hidden) : 0);
  }
  return at;
}

template <class T>
void pack(const RecurrentShape& shape, const RecurrentWeights<T>* weights, T* packed) noexcept {
  const std::size_t hidden = shape.hidden;
  const std::size_t stride = RecurrentPlan(shape).packed_stride;
  for (std::size_t l = 0; l < shape.layers; ++l) {
    const RecurrentWeights<T>& w = weights[l];
    for (std::size_t j = 0; j < hidden; ++j)
      packed[j] = shape.bias ? w.bias_ih[j] + w.bias_hh[j] : T{0};
    packed += stride;
    // from (H, K) to (K, stride)
    const auto transpose = [&](const T* source, std::size_t depth) {
      for (std::size_t k = 0; k < depth; ++k, packed += stride)
        for (std::size_t j = 0; j < hidden; ++j) packed[j] = source[j * depth + k];
    };
    transpose(w.weight_ih, shape.input_of(l));
    transpose(w.weight_hh, hidden);
  }
}

template <class T>
void forward(const RecurrentForward<T>& call) {
  const RecurrentShape& s = call.shape;
  const RecurrentPlan plan(s);
  const Kernels<T>& kernels = table<T>();
  const std::size_t hidden = s.hidden, plane = s.batch * s.hidden;  // one slot: (N, H)
  const auto slot = [&](std::size_t layer, std::size_t index) {
    return call.states + (layer * call.slots + index % call.slots) * plane;
  };
  parallel(plan.slices, [&](std::size_t index) {
    const Rows rows = slice_rows(s, plan.slices, index);
    const std::size_t offset = rows.begin * hidden;
    if (call.h_0)
      for (std::size_t l = 0; l < s.layers; ++l)
        std::memcpy(slot(l, 0) + offset, call.h_0 + l * plane + offset,
                    rows.count * hidden * sizeof(T));
    for (std::size_t t = 0; t < s.steps; ++t) {
      const T* packed = call.packed;
      for (std::size_t l = 0; l < s.layers; ++l) {
        const std::size_t inputs = s.input_of(l);
        const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(plan.packed_stride);
        Gemm<T> g;
        g.rows = rows.count;
        g.columns = hidden;
        g.init = packed;  // the bias, the same for each row
        const T* weight_ih = packed + stride;
        const T* weight_hh = weight_ih + inputs * plan.packed_stride;
        Product<T>& from_input = g.products[0];
        from_input.b = weight_ih;
        from_input.b_k = stride;
        from_input.depth = inputs;
        if (l == 0) {
          from_input.a = call.input + static_cast<std::ptrdiff_t>(t) * call.input_step +
                         static_cast<std::ptrdiff_t>(rows.begin) * call.input_row;
          from_input.a_row = call.input_row;
        } else {
          from_input.a = slot(l - 1, t + 1) + offset;
          from_input.a_row = static_cast<std::ptrdiff_t>(hidden);
        }
        Product<T>& from_state = g.products[1];
        from_state.a = slot(l, t) + offset;
        from_state.a_row = static_cast<std::ptrdiff_t>(hidden);
        from_state.b = weight_hh;
        from_state.b_k = stride;
        from_state.depth = hidden;
        g.count = t == 0 && !call.h_0 ? 1 : 2;  // a zero state adds nothing
        g.out = slot(l, t + 1) + offset;
        g.out_row = static_cast<std::ptrdiff_t>(hidden);
        g.epilogue = activation(s.nonlinearity);
        kernels.gemm(g);
        packed += packed_layer_size(s, l, plan.packed_stride);
      }
    }
  });
}

namespace {

/// One slice of backward: its own rows, scratch and gradient block.
template <class T>
class BackwardSlice {
 public:
  BackwardSlice(const RecurrentBackward<T>& call, const RecurrentPlan& plan, std::size_t index)
      : call_(call),
        s_(call.shape),
        kernels_(table<T>()),
        rows_(slice_rows(s_, plan.slices, index)),
        hidden_(s_.hidden),
        plane_(s_.batch * s_.hidden),
        block_(rows_.count * hidden_),
        dz_(call.scratch + index * plan.backward_scratch),
        start_(dz_ + s_.steps * plan.slice_rows * hidden_),
        from_above_(start_ + plan.slice_rows * hidden_),
        gradient_(call.gradients + index * plan.gradient_size) {}

  void run() {
    for (std::size_t l = s_.layers; l-- > 0;) {
      through_time(l);
      weight_gradients(l);
      // The layer below starts from W_ih^T dz of this one.
      if (l > 0) {
        Gemm<T> g = product_with(call_.weights[l].weight_ih, hidden_);
        g.rows = s_.steps * rows_.count;
        g.out = from_above_;
        kernels_.gemm(g);
      }
    }
    if (call_.grad_input) input_gradient();
  }

 private:
  const T* state(std::size_t layer, std::size_t slot) const {
    return call_.states + (layer * (s_.steps + 1) + slot) * plane_ + rows_.begin * hidden_;
  }

  /// The first step's dz times a weight of (H, columns) as PyTorch keeps it; `out` is to be set.
  Gemm<T> product_with(const T* weight, std::size_t columns) const {
    return dense_product<T>(rows_.count, hidden_, columns, dz_, weight, nullptr);
  }

  /// Where the chain of dL/dh_t starts: what comes from outside this layer, or null.
  struct Start {
    const T* data = nullptr;
    std::ptrdiff_t row = 0;
  };
  Start start(std::size_t layer, std::size_t t) {
    Start from;
    if (layer + 1 < s_.layers) {
      from = {from_above_ + t * block_, static_cast<std::ptrdiff_t>(hidden_)};
    } else if (call_.grad_output && t >= call_.grad_first &&
               t - call_.grad_first < call_.grad_count) {
      from = {call_.grad_output +
                  static_cast<std::ptrdiff_t>(t - call_.grad_first) * call_.grad_step +
                  static_cast<std::ptrdiff_t>(rows_.begin) * call_.grad_row,
              call_.grad_row};
    }
    if (t + 1 < s_.steps || !call_.grad_h_n) return from;
    const T* last = call_.grad_h_n + layer * plane_ + rows_.begin * hidden_;
    if (!from.data) return {last, static_cast<std::ptrdiff_t>(hidden_)};
    for (std::size_t n = 0; n < rows_.count; ++n)
      for (std::size_t j = 0; j < hidden_; ++j)
        start_[n * hidden_ + j] =
            from.data[static_cast<std::ptrdiff_t>(n) * from.row + static_cast<std::ptrdiff_t>(j)] +
            last[n * hidden_ + j];
    return {start_, static_cast<std::ptrdiff_t>(hidden_)};
  }

  /// dz_t = f'(h_t) (start_t + W_hh^T dz_{t+1}), from the last step to the first.
  void through_time(std::size_t layer) {
    const T* weight_hh = call_.weights[layer].weight_hh;
    for (std::size_t t = s_.steps; t-- > 0;) {
      const Start from = start(layer, t);
      Gemm<T> g = product_with(weight_hh, hidden_);
      g.count = t + 1 < s_.steps ? 1 : 0;
      g.products[0].a = dz_ + (t + 1) * block_;
      g.init = from.data;
      g.init_row = from.row;
      g.out = dz_ + t * block_;
      g.epilogue = derivative(s_.nonlinearity);
      g.saved = state(layer, t + 1);
      g.saved_row = static_cast<std::ptrdiff_t>(hidden_);
      kernels_.gemm(g);
    }
    if (call_.grad_h_0) {
      Gemm<T> g = product_with(weight_hh, hidden_);
      g.out = call_.grad_h_0 + layer * plane_ + rows_.begin * hidden_;
      kernels_.gemm(g);
    }
  }

  /// Sums over this slice's steps and rows, steps ascending.
  void weight_gradients(std::size_t layer) {
    const GradientOffsets at = gradient_offsets(s_, layer);
    const auto outer = [&](const T* b, std::ptrdiff_t step, std::ptrdiff_t row, std::size_t columns,
                           std::size_t first, T* out) {
      Gemm<T> g;
      g.rows = hidden_;
      g.columns = columns;
      g.count = 1;
      Product<T>& p = g.products[0];
      p.a = dz_ + first * block_;
      p.a_row = 1;
      p.a_k = static_cast<std::ptrdiff_t>(hidden_);
      p.b = b;
      p.b_k = row;
      p.depth = rows_.count;
      p.repeat = s_.steps - first;
      p.a_repeat = static_cast<std::ptrdiff_t>(block_);
      p.b_repeat = step;
      g.out = out;
      g.out_row = static_cast<std::ptrdiff_t>(columns);
      kernels_.gemm(g);
    };
    const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(hidden_);
    const std::ptrdiff_t step = static_cast<std::ptrdiff_t>(plane_);
    if (layer == 0) {
      const T* x = call_.input + static_cast<std::ptrdiff_t>(rows_.begin) * call_.input_row;
      outer(x, call_.input_step, call_.input_row, s_.input, 0, gradient_ + at.weight_ih);
    } else {
      outer(state(layer - 1, 1), step, row, hidden_, 0, gradient_ + at.weight_ih);
    }
    // Without an initial state the first step's product is with zeros.
    const std::size_t first = call_.has_h_0 ? 0 : 1;
    outer(state(layer, first), step, row, hidden_, first, gradient_ + at.weight_hh);
    if (s_.bias)
      kernels_.gemm(column_sums(s_.steps * rows_.count, hidden_, dz_, gradient_ + at.bias));
  }

  void input_gradient() {
    for (std::size_t t = 0; t < s_.steps; ++t) {
      Gemm<T> g = product_with(call_.weights[0].weight_ih, s_.input);
      g.products[0].a = dz_ + t * block_;
      g.out = call_.grad_input + static_cast<std::ptrdiff_t>(t) * call_.grad_input_step +
              static_cast<std::ptrdiff_t>(rows_.begin) * call_.grad_input_row;
      g.out_row = call_.grad_input_row;
      kernels_.gemm(g);
    }
  }

  const RecurrentBackward<T>& call_;
  const RecurrentShape& s_;
  const Kernels<T>& kernels_;
  const Rows rows_;
  const std::size_t hidden_, plane_, block_;
  T* const dz_;          // (T, rows, H)
  T* const start_;       // (rows, H)
  T* const from_above_;  // (T, rows, H)
  T* const gradient_;
};

/// Adds the slices' blocks pairwise: 0+1, 2+3, ..., then 0+2, ..., until all are in the first.
template <class T>
void reduce(T* blocks, std::size_t count, std::size_t size) {
  constexpr std::size_t kPiece = 4096;
  parallel((size + kPiece - 1) / kPiece, [&](std::size_t piece) {
    const std::size_t begin = piece * kPiece, end = std::min(size, begin + kPiece);
    for (std::size_t distance = 1; distance < count; distance *= 2)
      for (std::size_t i = 0; i + distance < count; i += 2 * distance) {
        T* to = blocks + i * size;
        const T* from = blocks + (i + distance) * size;
        for (std::size_t e = begin; e < end; ++e) to[e] += from[e];
      }
  });
}

}  // namespace

template <class T>
void backward(const RecurrentBackward<T>& call) noexcept {
  const RecurrentPlan plan(call.shape);
  parallel(plan.slices, [&](std::size_t index) { BackwardSlice<T>(call, plan, index).run(); });
  reduce(call.gradients, plan.slices, plan.gradient_size);
}

#define UNROLL_INSTANTIATE(T)                                                         \
  template void pack(const RecurrentShape&, const RecurrentWeights<T>*, T*) noexcept; \
  template void forward(const RecurrentForward<T>&);                                  \
  template void backward(const RecurrentBackward<T>&) noexcept;
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
