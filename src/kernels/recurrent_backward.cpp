#include <cstring>
#include <utility>

#include "core/parallel.h"
#include "kernels/recurrent.h"
#include "kernels/recurrent_slices.h"

namespace unroll::kernels {
namespace {

// Steps that go back in time before their part of the weights' gradients is summed, while their dz
// and states are in the cache: of a slice's own gradients, and sequences of steps of shared ones.
constexpr std::size_t kOwnSteps = 14, kSharedRows = 256;
// A tile of the shared gradients: what goes into it fits the second-level cache.
constexpr std::size_t kTileRows = 64, kTileColumns = 256;

Epilogue derivative(Nonlinearity f) {
  return f == Nonlinearity::relu ? Epilogue::relu_derivative : Epilogue::tanh_derivative;
}

template <class T>
class Backward {
 public:
  explicit Backward(const RecurrentBackward<T>& call)
      : call_(call),
        s_(call.shape),
        plan_(call.shape),
        gemm_(product_of<T>(s_)),
        stride_(plan_.row_stride),
        row_(static_cast<std::ptrdiff_t>(stride_)),
        plane_(s_.batch * stride_),
        scratch_(s_, stride_),
        dz_(call.scratch + scratch_.dz),
        from_above_(call.scratch + scratch_.from_above),
        start_(call.scratch + scratch_.start) {}

  void run() {
    copy_weights();
    if (plan_.gradient_sum == GradientSum::slices) {
      for_tasks([&](std::size_t first, std::size_t last) {
        for (std::size_t l = s_.layers; l-- > 0;)
          for_chunks(kOwnSteps, [&](std::size_t begin, std::size_t end) {
            back_in_time(l, rows_of_slices(s_, plan_.slices, first, last), begin, end);
            for (std::size_t slice = first; slice < last; ++slice) sum_slice(l, slice, begin, end);
          });
      });
      reduce();
      return;
    }
    for (std::size_t l = s_.layers; l-- > 0;)
      for_chunks(kSharedRows / s_.batch, [&](std::size_t begin, std::size_t end) {
        for_tasks([&](std::size_t first, std::size_t last) {
          back_in_time(l, rows_of_slices(s_, plan_.slices, first, last), begin, end);
        });
        sum_tiles(l, begin, end);
      });
  }

 private:
  template <class F>
  void for_tasks(F f) {
    const std::size_t tasks = tasks_for(s_, plan_.slices);
    parallel(tasks, [&](std::size_t task) {
      f(task * plan_.slices / tasks, (task + 1) * plan_.slices / tasks);
    });
  }

  /// f(begin, end) for chunks of about so many steps, the last first.
  template <class F>
  void for_chunks(std::size_t steps, F f) {
    const std::size_t chunks = std::max<std::size_t>(1, s_.steps / std::max<std::size_t>(1, steps));
    for (std::size_t chunk = chunks; chunk-- > 0;)
      f(chunk * s_.steps / chunks, (chunk + 1) * s_.steps / chunks);
  }

  const T* state(std::size_t layer, std::size_t slot) const {
    return call_.states + (layer * (s_.steps + 1) + slot) * plane_;
  }
  T* weight_hh(std::size_t layer) const {
    T* at = call_.scratch + scratch_.weights;
    for (std::size_t l = 0; l < layer; ++l)
      at += s_.hidden * (stride_ + padded_row(s_.input_of(l)));
    return at;
  }
  T* weight_ih(std::size_t layer) const { return weight_hh(layer) + s_.hidden * stride_; }

  /// With padded rows or as pairs, as the products want them.
  void copy_weights() {
    const auto copy = [&](const T* from, std::size_t rows, std::size_t columns, T* to) {
      if constexpr (std::is_same_v<T, float>)
        if (s_.bf16)
          return make_pairs(from, static_cast<std::ptrdiff_t>(columns), rows, columns, as_pairs(to),
                            padded_row(columns));
      constexpr std::size_t kRows = 64;
      parallel((rows + kRows - 1) / kRows, [&](std::size_t part) {
        for (std::size_t r = part * kRows; r < std::min(rows, (part + 1) * kRows); ++r)
          std::memcpy(to + r * padded_row(columns), from + r * columns, columns * sizeof(T));
      });
    };
    for (std::size_t l = 0; l < s_.layers; ++l) {
      copy(call_.weights[l].weight_hh, s_.hidden, s_.hidden, weight_hh(l));
      if (l > 0 || call_.grad_input)
        copy(call_.weights[l].weight_ih, s_.hidden, s_.input_of(l), weight_ih(l));
    }
  }

  void back_in_time(std::size_t layer, Rows rows, std::size_t begin, std::size_t end) {
    through_time(layer, rows, begin, end);
    if (layer > 0 || call_.grad_input) hand_down(layer, rows, begin, end);
  }

  /// Where the chains of a step start: the gradient of h_t from outside the recurrence.
  struct Start {
    const T* data = nullptr;
    std::ptrdiff_t row = 0;
  };
  Start start(std::size_t layer, std::size_t t, Rows rows) {
    Start from;
    if (layer + 1 < s_.layers) {
      from = {from_above_ + t * plane_ + rows.begin * stride_, row_};
    } else if (call_.grad_output && t >= call_.grad_first &&
               t - call_.grad_first < call_.grad_count) {
      from = {call_.grad_output +
                  static_cast<std::ptrdiff_t>(t - call_.grad_first) * call_.grad_step +
                  static_cast<std::ptrdiff_t>(rows.begin) * call_.grad_row,
              call_.grad_row};
    }
    if (t + 1 < s_.steps || !call_.grad_h_n) return from;
    const auto dense = static_cast<std::ptrdiff_t>(s_.hidden);
    const T* last = call_.grad_h_n + (layer * s_.batch + rows.begin) * s_.hidden;
    if (!from.data) return {last, dense};
    T* sum = start_ + rows.begin * stride_;
    for (std::size_t n = 0; n < rows.count; ++n)
      for (std::size_t j = 0; j < s_.hidden; ++j)
        sum[n * stride_ + j] =
            from.data[static_cast<std::ptrdiff_t>(n) * from.row + static_cast<std::ptrdiff_t>(j)] +
            last[n * s_.hidden + j];
    return {sum, row_};
  }

  /// Some rows of dz_t times a weight (H, columns); `out` is to be set.
  Gemm<T> product_with(const T* weight, std::size_t columns, std::size_t t, Rows rows) const {
    Gemm<T> g;
    g.rows = rows.count;
    g.columns = columns;
    g.count = 1;
    g.products[0].a = dz_ + t * plane_ + rows.begin * stride_;
    g.products[0].a_row = row_;
    g.products[0].b = weight;
    g.products[0].b_k = static_cast<std::ptrdiff_t>(padded_row(columns));
    g.products[0].depth = s_.hidden;
    if (s_.bf16) {
      g.products[0].b_pairs = as_pairs(weight);
      g.products[0].b_pairs_row = padded_row(columns);
    }
    return g;
  }

  /// dz_t = f'(h_t) (start_t + W_hh^T dz_{t+1}) for t = end - 1 .. begin.
  void through_time(std::size_t layer, Rows rows, std::size_t begin, std::size_t end) {
    const T* weight = weight_hh(layer);
    for (std::size_t t = end; t-- > begin;) {
      const Start from = start(layer, t, rows);
      Gemm<T> g = product_with(weight, s_.hidden, t + 1, rows);
      if (t + 1 == s_.steps) g.count = 0;
      g.init = from.data;
      g.init_row = from.row;
      g.out = dz_ + t * plane_ + rows.begin * stride_;
      g.out_row = row_;
      g.epilogue = derivative(s_.nonlinearity);
      g.saved = state(layer, t + 1) + rows.begin * stride_;
      g.saved_row = row_;
      gemm_(g);
    }
    if (begin > 0 || !call_.grad_h_0) return;
    Gemm<T> g = product_with(weight, s_.hidden, 0, rows);
    g.out = call_.grad_h_0 + (layer * s_.batch + rows.begin) * s_.hidden;
    g.out_row = static_cast<std::ptrdiff_t>(s_.hidden);
    gemm_(g);
  }

  /// W_ih^T dz_t: to the layer below or to the input.
  void hand_down(std::size_t layer, Rows rows, std::size_t begin, std::size_t end) {
    const T* weight = weight_ih(layer);
    for (std::size_t t = begin; t < end; ++t) {
      Gemm<T> g = product_with(weight, s_.input_of(layer), t, rows);
      if (layer > 0) {
        g.out = from_above_ + t * plane_ + rows.begin * stride_;
        g.out_row = row_;
      } else {
        g.out = call_.grad_input + static_cast<std::ptrdiff_t>(t) * call_.grad_input_step +
                static_cast<std::ptrdiff_t>(rows.begin) * call_.grad_input_row;
        g.out_row = call_.grad_input_row;
      }
      gemm_(g);
    }
  }

  /// Numbers (t, n, feature) of some steps and rows, as one side of a sum over steps and rows.
  struct Side {
    const T* data;
    std::ptrdiff_t step, row;
    std::size_t features;
  };
  Side dz_side() const { return {dz_, static_cast<std::ptrdiff_t>(plane_), row_, s_.hidden}; }
  Side input_side(std::size_t layer) const {
    if (layer == 0) return {call_.input, call_.input_step, call_.input_row, s_.input};
    return {state(layer - 1, 1), static_cast<std::ptrdiff_t>(plane_), row_, s_.hidden};
  }
  /// h_{t-1}
  Side state_side(std::size_t layer) const {
    return {state(layer, 0), static_cast<std::ptrdiff_t>(plane_), row_, s_.hidden};
  }

  /// Which steps and rows to sum over: the last step first, its rows in their order.
  struct Range {
    std::size_t begin, end;
    Rows rows;
  };

  /// Adds sum_t,n left(t, n, i) right(t, n, j) to out(i, j), or sets it.
  void add_products(const Side& left, const Side& right, const Range& range, T* out,
                    std::size_t out_row, bool set) const {
    add_products(left, right, range, out, out_row, set, gemm_);
  }
  template <class Multiply>
  void add_products(const Side& left, const Side& right, const Range& range, T* out,
                    std::size_t out_row, bool set, Multiply gemm) const {
    if (range.begin == range.end) {
      if (set)
        for (std::size_t i = 0; i < left.features; ++i)
          std::fill_n(out + i * out_row, right.features, T{0});
      return;
    }
    const auto first = static_cast<std::ptrdiff_t>(range.end - 1);
    const auto from = static_cast<std::ptrdiff_t>(range.rows.begin);
    Gemm<T> g;
    g.rows = left.features;
    g.columns = right.features;
    g.count = 1;
    Product<T>& p = g.products[0];
    p.a = left.data + first * left.step + from * left.row;
    p.a_row = 1;
    p.a_k = left.row;
    p.b = right.data + first * right.step + from * right.row;
    p.b_k = right.row;
    p.depth = range.rows.count;
    p.repeat = range.end - range.begin;
    p.a_repeat = -left.step;
    p.b_repeat = -right.step;
    g.out = out;
    g.out_row = static_cast<std::ptrdiff_t>(out_row);
    if (!set) {
      g.init = out;
      g.init_row = g.out_row;
    }
    gemm(g);
  }

  /// In full precision always.
  void add_bias(const Range& range, T* out, bool set) const {
    static constexpr T one = 1;
    add_products({&one, 0, 0, 1}, dz_side(), range, out, 0, set, table<T>().gemm);
  }

  /// Without an initial state the first step's product is with zeros.
  Range without_zeros(Range range) const {
    if (!call_.has_h_0) range.begin = std::max<std::size_t>(range.begin, 1);
    range.end = std::max(range.begin, range.end);
    return range;
  }

  /// The gradients of a slice, further by some steps.
  void sum_slice(std::size_t layer, std::size_t slice, std::size_t begin, std::size_t end) {
    const GradientLayout at = gradient_layout(s_, layer);
    T* block = call_.gradients + slice * plan_.gradient_size;
    const Range range{begin, end, rows_of_slices(s_, plan_.slices, slice, slice + 1)};
    const bool set = end == s_.steps;
    const Side dz = dz_side(), input = input_side(layer);
    if (at.ih_row == 1)
      add_products(input, dz, range, block + at.weight_ih, at.ih_column, set);
    else
      add_products(dz, input, range, block + at.weight_ih, at.ih_row, set);
    add_products(dz, state_side(layer), without_zeros(range), block + at.weight_hh, s_.hidden, set);
    if (s_.bias) add_bias(range, block + at.bias, set);
  }

  /// The gradients of a layer, further by some steps.
  void sum_tiles(std::size_t layer, std::size_t begin, std::size_t end) {
    const GradientLayout at = gradient_layout(s_, layer);
    const Range range{begin, end, {0, s_.batch}};
    const bool set = end == s_.steps;
    const Side dz = dz_side(), input = input_side(layer);
    T* const weight_ih = call_.gradients + at.weight_ih;
    if (at.ih_row == 1)
      sum_tiles(input, dz, range, weight_ih, at.ih_column, set);
    else
      sum_tiles(dz, input, range, weight_ih, at.ih_row, set);
    sum_tiles(dz, state_side(layer), without_zeros(range), call_.gradients + at.weight_hh,
              s_.hidden, set);
    if (s_.bias) add_bias(range, call_.gradients + at.bias, set);
  }

  void sum_tiles(const Side& left, const Side& right, const Range& range, T* out,
                 std::size_t out_row, bool set) {
    const std::size_t down = (left.features + kTileRows - 1) / kTileRows,
                      across = (right.features + kTileColumns - 1) / kTileColumns;
    parallel(down * across, [&](std::size_t tile) {
      const std::size_t i = tile / across * kTileRows, j = tile % across * kTileColumns;
      Side a = left, b = right;
      a.data += i;
      a.features = std::min(kTileRows, left.features - i);
      b.data += j;
      b.features = std::min(kTileColumns, right.features - j);
      add_products(a, b, range, out + i * out_row + j, out_row, set);
    });
  }

  /// Adds the slices' blocks pairwise: 0+1, 2+3, ..., then 0+2, ..., until all are in the first.
  void reduce() {
    constexpr std::size_t kPiece = 1024;
    const std::size_t size = plan_.gradient_size, count = plan_.gradient_blocks;
    parallel((size + kPiece - 1) / kPiece, [&](std::size_t piece) {
      const std::size_t begin = piece * kPiece, end = std::min(size, begin + kPiece);
      for (std::size_t distance = 1; distance < count; distance *= 2)
        for (std::size_t i = 0; i + distance < count; i += 2 * distance) {
          T* to = call_.gradients + i * size;
          const T* from = call_.gradients + (i + distance) * size;
          for (std::size_t e = begin; e < end; ++e) to[e] += from[e];
        }
    });
  }

  const RecurrentBackward<T>& call_;
  const RecurrentShape& s_;
  const RecurrentPlan plan_;
  decltype(product_of<T>(std::declval<RecurrentShape>())) gemm_;
  const std::size_t stride_;
  const std::ptrdiff_t row_;
  const std::size_t plane_;
  const BackwardScratch scratch_;
  T* const dz_;
  T* const from_above_;
  T* const start_;
};

}  // namespace

template <class T>
void backward(const RecurrentBackward<T>& call) noexcept {
  Backward<T>(call).run();
}

template void backward(const RecurrentBackward<float>&) noexcept;
template void backward(const RecurrentBackward<double>&) noexcept;

}  // namespace unroll::kernels
