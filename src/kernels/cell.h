// Cells: the element-wise arithmetic between the sums of a recurrent layer's gates and its states.
//
// A cell knows nothing of time, direction, lengths, products or threads: the driver
// (kernels/recurrent.h) owns those. docs/adding_a_cell.md shows how to write one.
#pragma once

#include <cstddef>

#include "kernels/rows.h"
#include "unroll/core/cell.h"

namespace unroll::kernels {

enum class Cell { rnn_relu, rnn_tanh, lstm, gru };
inline constexpr std::size_t kCells = 4;

constexpr CellTraits traits_of(Cell cell) {
  switch (cell) {
    case Cell::lstm:
      return {4, 4, true, false};
    case Cell::gru:
      return {3, 2, false, true};
    default:
      return {1, 1, false, false};
  }
}

/// Layer normalisation of c before it becomes h, for cells with a memory.
template <class T>
struct MemoryNorm {
  const T* weight = nullptr;  // (H); null: no normalisation
  const T* bias = nullptr;    // (H)
  Matrix<T> statistics;       // of each row the mean of c and 1 / its deviation
  T* grad_weight = nullptr;   // (H), backward adds to them
  T* grad_bias = nullptr;
};

/// Some rows of one time step, forward: the hidden units `units`, which are columns of each gate.
/// Data that is null is not there.
template <class T>
struct CellForward {
  std::size_t rows = 0, hidden = 0;
  Columns units{0, 0};       // all of them where there is a norm
  Matrix<T> z;               // in: the sums; out: whatever backward wants to find
  Matrix<const T> h_before;  // h_{t-1}; null: zeros. Given to `direct` cells
  Matrix<const T> c_before;  // c_{t-1}; null: zeros
  Matrix<T> c;               // out: c_t, where the cell has a memory
  Matrix<T> h;               // out: h_t
  Matrix<const T> keep;      // recurrent dropout: the candidate's factors; null: 1
  MemoryNorm<T> norm;
};

/// The same, backward.
template <class T>
struct CellBackward {
  std::size_t rows = 0, hidden = 0;
  Columns units{0, 0};
  Matrix<T> z;  // in: what forward left; out: the gradients of the sums
  Matrix<const T> h_before, c_before;
  Matrix<T> dh;  // in: of h_t; out, for `direct` cells: the part of h_{t-1}'s past the products
  Matrix<T> dc;  // in: of c_t; out: of c_{t-1}
  Matrix<const T> keep;
  MemoryNorm<T> norm;
};

template <class T>
struct CellKernels {
  void (*forward)(const CellForward<T>&) noexcept;
  void (*backward)(const CellBackward<T>&) noexcept;
};

}  // namespace unroll::kernels
