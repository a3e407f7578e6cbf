// The products of backward with the weights in scratch, panel by panel.
#pragma once

#include "kernels/parallel_gemm.h"
#include "kernels/recurrent_layout.h"

namespace unroll::kernels {

template <class T>
class BackwardProducts {
 public:
  explicit BackwardProducts(const RecurrentBackward<T>& call)
      : scratch_(call.scratch),
        bf16_(call.shape.bf16),
        sums_(call.shape),
        at_(call.shape),
        gemm_(product_of<T>(call.shape)) {}

  /// Some columns of W_hh^T dz. g's out, init and saved begin at the first of these columns.
  void multiply_state(const Gemm<T>& g, Matrix<const T> dz, Columns columns) const {
    run(g, at_.weight_hh, at_.hh_panels, columns, [&](Gemm<T>& part, const Weight& weight) {
      for (int i = 0; i < sums_.state_parts; ++i) add(part, dz, sums_.state[i], weight);
    });
  }

  /// Some columns of W_ih^T dz.
  void multiply_input(const Gemm<T>& g, Matrix<const T> dz, Columns columns) const {
    run(g, at_.weight_ih, at_.ih_panels, columns, [&](Gemm<T>& part, const Weight& weight) {
      add(part, dz, {0, 0, sums_.gates}, weight);
    });
  }

 private:
  /// A weight from some column of a panel on.
  struct Weight {
    const T* first;              // at that column
    const std::uint32_t* pairs;  // at the very first column
    std::size_t row;
  };

  template <class AddProducts>
  void run(const Gemm<T>& g, std::size_t place, const Panels& panels, Columns columns,
           AddProducts add_products) const {
    panels.for_parts(columns.begin, columns.end, [&](std::size_t begin, std::size_t end) {
      Gemm<T> part = part_of(g, 0, g.rows, begin - columns.begin);
      part.columns = end - begin;
      add_products(part, Weight{scratch_ + place + panels.place(begin),
                                bf16_ ? as_pairs(scratch_ + place) : nullptr, panels.width});
      gemm_(part);
    });
  }

  /// Adds the product of some columns of dz with the matching rows of the weight, for the columns
  /// of g.
  void add(Gemm<T>& g, Matrix<const T> dz, const Sums::Part& rows, const Weight& weight) const {
    Product<T>& p = g.products[g.count++];
    p.a = dz.data + rows.column;
    p.a_row = dz.row;
    p.b = weight.first + rows.weight_row * weight.row;
    p.b_k = static_cast<std::ptrdiff_t>(weight.row);
    p.depth = rows.count;
    if (!weight.pairs) return;
    p.b_pairs = weight.pairs + rows.weight_row / 2 * weight.row;
    p.b_pairs_row = weight.row;
  }

  const T* const scratch_;
  const bool bf16_;
  const Sums sums_;
  const ScratchLayout at_;
  decltype(product_of<T>(std::declval<RecurrentShape>())) gemm_;
};

}  // namespace unroll::kernels
