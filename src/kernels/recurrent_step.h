// The forward pass of some rows at one time step, for whole sequences and streams.
#pragma once

#include "kernels/recurrent_layout.h"

namespace unroll::kernels {

/// The rows of all matrices that a step reads or writes. Absent ones have null data.
template <class T>
struct StepRows {
  std::size_t count = 0;
  Matrix<const T> input;
  Matrix<const T> state;     // h_{t-1} for the products, with its factors
  Matrix<const T> h_before;  // h_{t-1} itself
  Matrix<const T> c_before;
  Matrix<T> z, c, unprojected, h, masked, statistics;
  Matrix<const T> keep, state_factors;
  Zone<T> zone_h, zone_c;
};

template <class T>
class StepForward {
 public:
  StepForward(const RecurrentShape& shape, const T* packed)
      : StepForward(shape, packed, Sums(shape), PackedLayout(shape)) {}
  StepForward(const RecurrentShape& shape, const T* packed, const Sums& sums,
              const PackedLayout& at)
      : s_(shape),
        sums_(sums),
        at_(at),
        packed_(packed),
        kernels_(table<T>()),
        gemm_(product_of<T>(shape)) {}

  void operator()(const StepRows<T>& rows) const noexcept { (*this)(rows, {0, s_.hidden}); }

  /// The step for some units only, if units are independent within a step (steps_are_shared).
  void operator()(const StepRows<T>& rows, Columns units) const noexcept {
    compute(rows, units);
    if (!s_.flush_states) return;
    const Columns of_h = s_.projection ? Columns{0, s_.projection} : units;
    flush(rows.count, rows.h, of_h);
    if (rows.c.data) flush(rows.count, rows.c, units);
  }

 private:
  void compute(const StepRows<T>& rows, Columns units) const noexcept {
    if (s_.fused()) {
      at_.panels.for_parts(units.begin, units.end, [&](std::size_t begin, std::size_t end) {
        Gemm<T> g = product(rows, begin, end, true, true);
        g.out = rows.h.data + begin;
        g.out_row = rows.h.row;
        g.epilogue = s_.cell == Cell::rnn_relu ? Epilogue::relu : Epilogue::tanh;
        gemm_(g);
      });
      return;
    }
    multiply(rows, units, 0, sums_.both, true, true);
    multiply(rows, units, sums_.both, sums_.input_end, true, false);
    multiply(rows, units, sums_.input_end, sums_.products_end, false, true);
    if (s_.layer_norm) kernels_.rows.normalise(normalised_sums(rows));
    const Matrix<T> h = s_.projection ? rows.unprojected : rows.h;
    cell_forward(s_, cell(rows, h, units));
    if (s_.projection) project(rows);
    const Extent states{rows.count, s_.output()};
    if (s_.zoneout) {
      kernels_.rows.keep_zone(states, rows.h, rows.h_before, rows.zone_h);
      if (rows.c.data)
        kernels_.rows.keep_zone({rows.count, s_.hidden}, rows.c, rows.c_before, rows.zone_c);
    }
    if (rows.masked.data)
      kernels_.rows.multiply(states, rows.masked, {rows.h.data, rows.h.row}, rows.state_factors);
  }

  void flush(std::size_t count, Matrix<T> states, Columns units) const noexcept {
    states.data += units.begin;
    kernels_.rows.flush_tiny({count, units.count()}, states);
  }

  /// The column in the weights for a column of z. The state's own columns begin where the input's
  /// own begin.
  std::size_t gate_of(std::size_t column, bool of_input) const {
    return of_input ? column : column - sums_.input_end + sums_.both;
  }

  /// The products for the columns [begin, end) of z, which lie in one panel of the weights.
  Gemm<T> product(const StepRows<T>& rows, std::size_t begin, std::size_t end, bool of_input,
                  bool of_state) const {
    Gemm<T> g;
    g.rows = rows.count;
    g.columns = end - begin;
    if (!s_.layer_norm) g.init = packed_ + at_.bias + begin;  // the same start for each row
    const std::size_t gate = gate_of(begin, of_input);
    const auto add = [&](Matrix<const T> a, std::size_t weight, std::size_t depth,
                         std::size_t pairs) {
      Product<T>& p = g.products[g.count++];
      p.a = a.data;
      p.a_row = a.row;
      p.b = packed_ + weight + at_.panels.place(gate);
      p.b_k = static_cast<std::ptrdiff_t>(at_.panels.width);
      p.depth = depth;
      if (s_.bf16) {
        p.b_pairs = as_pairs(packed_ + at_.pairs) + pairs + gate;
        p.b_pairs_row = at_.panels.width;
      }
    };
    if (of_input) add(rows.input, at_.weight_ih, s_.input, 0);
    // Zeros add nothing.
    if (of_state && rows.state.data)
      add(rows.state, at_.weight_hh, s_.output(), pairs_size(s_.input, at_.panels.width));
    return g;
  }

  /// Computes the columns of these units, for the gates in [begin, end).
  void multiply(const StepRows<T>& rows, Columns units, std::size_t begin, std::size_t end,
                bool of_input, bool of_state) const {
    const bool all = units.count() == s_.hidden;
    const std::size_t width = all ? end - begin : s_.hidden;
    for (std::size_t gate = begin; gate < end; gate += width) {
      const std::size_t first = gate + units.begin, last = all ? end : gate + units.end;
      // offset between columns of z and of the weights
      const std::size_t shift = first - gate_of(first, of_input);
      at_.panels.for_parts(first - shift, last - shift, [&](std::size_t from, std::size_t to) {
        Gemm<T> g = product(rows, from + shift, to + shift, of_input, of_state);
        g.out = rows.z.data + from + shift;
        g.out_row = rows.z.row;
        gemm_(g);
      });
    }
  }

  void project(const StepRows<T>& rows) const {
    Gemm<T> g = dense_product<T>(rows.count, s_.hidden, s_.projection, rows.unprojected.data,
                                 packed_ + at_.weight_hr, rows.h.data);
    g.products[0].a_row = rows.unprojected.row;
    g.products[0].b_k = static_cast<std::ptrdiff_t>(padded_row(s_.projection));
    g.out_row = rows.h.row;
    kernels_.gemm(g);
  }

  NormalisedSums<T> normalised_sums(const StepRows<T>& rows) const {
    NormalisedSums<T> call;
    call.rows = rows.count;
    call.gates = sums_.gates;
    call.joint = s_.traits().joint * s_.hidden;
    call.z = rows.z;
    call.input_weight = packed_ + at_.norm_ih_weight;
    call.input_bias = packed_ + at_.norm_ih_bias;
    call.state_weight = packed_ + at_.norm_hh_weight;
    call.state_bias = packed_ + at_.norm_hh_bias;
    call.statistics = rows.statistics;
    return call;
  }

  CellForward<T> cell(const StepRows<T>& rows, Matrix<T> h, Columns units) const {
    CellForward<T> call;
    call.rows = rows.count;
    call.hidden = s_.hidden;
    call.units = units;
    call.z = {rows.z.data + sums_.cell, rows.z.row};
    call.h_before = rows.h_before;
    call.c_before = rows.c_before;
    call.c = rows.c;
    call.h = h;
    call.keep = rows.keep;
    if (s_.layer_norm && rows.c.data)
      call.norm = {packed_ + at_.norm_c_weight,
                   packed_ + at_.norm_c_bias,
                   {rows.statistics.data + 2, rows.statistics.row},
                   nullptr,
                   nullptr};
    return call;
  }

  const RecurrentShape& s_;
  const Sums sums_;
  const PackedLayout at_;
  const T* const packed_;
  const Kernels<T>& kernels_;
  decltype(product_of<T>(std::declval<RecurrentShape>())) gemm_;
};

}  // namespace unroll::kernels
