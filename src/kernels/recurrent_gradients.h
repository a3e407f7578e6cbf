// The gradients of a recurrent layer's weights: sums over time steps and rows.
#pragma once

#include "kernels/recurrent_layout.h"
#include "kernels/recurrent_time.h"

namespace unroll::kernels {

/// Numbers (t, n, feature): one operand of a sum over steps and rows.
template <class T>
struct Side {
  Sequence<const T> numbers;
  std::size_t features;
  std::size_t first_t = 0;  // the first step in memory

  const T* at(std::size_t t, std::size_t n) const { return numbers.at(t - first_t, n); }
  /// Elements from step t to step u.
  std::ptrdiff_t between(std::size_t t, std::size_t u) const {
    return numbers.offset(u - first_t) - numbers.offset(t - first_t);
  }
};

/// Steps s = end - 1 .. begin, in this order; in each step the rows, ascending.
struct Range {
  std::size_t begin, end;
  Rows rows;
};

/// Adds products of two operands to sums, one range of steps after the other. Each element is one
/// chain over all ranges.
template <class T>
class GradientSums {
 public:
  using Multiply = decltype(product_of<T>(std::declval<RecurrentShape>()));
  GradientSums(const RecurrentShape& shape, const TimeAxis& time)
      : s_(shape), time_(time), gemm_(product_of<T>(shape)) {}

  /// A sum in memory. `set`: nothing was added yet, so the first value is stored.
  struct Sum {
    T* data;
    std::size_t row;
    bool set;
  };

  /// Adds sum_s,n left(t, n, i) right(t, n, j) over the active rows.
  void add(const Side<T>& left, const Side<T>& right, const Range& range, Sum sum) const {
    for (std::size_t s = range.end; s > range.begin;) {
      const Rows rows = time_.active(s - 1, range.rows);
      std::size_t begin = s - 1;
      while (begin > range.begin && time_.active(begin - 1, range.rows).end == rows.end &&
             even(left, begin - 1, s - 1) && even(right, begin - 1, s - 1))
        --begin;
      multiply(left, s - 1, right, s - 1, rows, s - begin, sum);
      s = begin;
    }
    finish(left, right, sum);
  }

  /// Like add(), with right(s - 1) instead of right(s). Where a sequence begins, takes `first`,
  /// which is the same for all steps. Null data means zeros.
  void add_before(const Side<T>& left, const Side<T>& right, const Side<T>& first,
                  const Range& range, Sum sum) const {
    for (std::size_t s = range.end; s > range.begin;) {
      const Rows rows = time_.continuing(s - 1, range.rows);
      std::size_t begin = s - 1;
      while (begin > range.begin && time_.starting(begin, range.rows).count() == 0 &&
             time_.continuing(begin - 1, range.rows).end == rows.end &&
             (begin < 2 || (even(left, begin - 1, s - 1) && even(right, begin - 2, s - 2))))
        --begin;
      if (s > 1) multiply(left, s - 1, right, s - 2, rows, s - begin, sum);
      const Rows starting = time_.starting(begin, range.rows);
      if (first.numbers.data && starting.count() > 0)
        multiply(left, begin, first, begin, starting, 1, sum);
      s = begin;
    }
    finish(left, right, sum);
  }

  /// Adds the sum of the rows of dz, always in full precision.
  void add_bias(const Side<T>& dz, const Range& range, Sum sum) const {
    static constexpr T one = 1;
    GradientSums full(*this);
    full.gemm_ = table<T>().gemm;
    full.add({{&one, 0, 0}, 1}, dz, range, sum);
  }

 private:
  /// Whether step s is as far from step s + 1 as step last - 1 is from step `last`.
  bool even(const Side<T>& side, std::size_t s, std::size_t last) const {
    return !side.numbers.first_row || side.between(time_.t(s + 1), time_.t(s)) ==
                                          side.between(time_.t(last), time_.t(last - 1));
  }

  /// Adds `count` steps backwards, from step s of left and step s_right of right.
  void multiply(const Side<T>& left, std::size_t s, const Side<T>& right, std::size_t s_right,
                Rows rows, std::size_t count, Sum& sum) const {
    if (rows.count() == 0) return;
    Gemm<T> g;
    g.rows = left.features;
    g.columns = right.features;
    g.count = 1;
    Product<T>& p = g.products[0];
    p.a = left.at(time_.t(s), rows.begin);
    p.a_row = 1;
    p.a_k = left.numbers.row;
    p.b = right.at(time_.t(s_right), rows.begin);
    p.b_k = right.numbers.row;
    p.depth = rows.count();
    p.repeat = count;
    if (count > 1) {
      p.a_repeat = left.between(time_.t(s), time_.t(s - 1));
      p.b_repeat = right.between(time_.t(s_right), time_.t(s_right - 1));
    }
    // Adjacent steps are one product, in the same order. But the pairs of bf16 are of one step.
    if (count > 1 && !s_.bf16 && p.a_repeat == as_rows(rows, p.a_k) &&
        p.b_repeat == as_rows(rows, p.b_k)) {
      p.depth *= p.repeat;
      p.repeat = 1;
    }
    g.out = sum.data;
    g.out_row = static_cast<std::ptrdiff_t>(sum.row);
    if (!sum.set) {
      g.init = sum.data;
      g.init_row = g.out_row;
    }
    gemm_(g);
    sum.set = false;
  }

  static std::ptrdiff_t as_rows(Rows rows, std::ptrdiff_t row) {
    return static_cast<std::ptrdiff_t>(rows.count()) * row;
  }

  void finish(const Side<T>& left, const Side<T>& right, const Sum& sum) const {
    if (!sum.set) return;
    for (std::size_t i = 0; i < left.features; ++i)
      std::fill_n(sum.data + i * sum.row, right.features, T{0});
  }

  const RecurrentShape& s_;
  const TimeAxis& time_;
  Multiply gemm_;
};

}  // namespace unroll::kernels
