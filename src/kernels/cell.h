// Cells: the element-wise arithmetic from the sums of a recurrent layer's gates to its states.
//
// A cell knows nothing about time, direction, lengths, products or threads. These belong to the
// driver (kernels/recurrent.h). docs/adding_a_cell.md shows how to write a cell.
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

/// Layer normalisation of c on its way to h, for cells with a memory.
template <class T>
struct MemoryNorm {
  const T* weight = nullptr;  // (H); null: no normalisation
  const T* bias = nullptr;    // (H)
  Matrix<T> statistics;       // for each row: mean of c, 1 / deviation of c
  T* grad_weight = nullptr;   // (H), backward adds to them
  T* grad_bias = nullptr;
};

/// Some rows of one time step, forward pass, for the hidden units `units` (columns of each gate).
/// Null data is absent.
template <class T>
struct CellForward {
  std::size_t rows = 0, hidden = 0;
  Columns units{0, 0};       // all units if there is a norm
  Matrix<T> z;               // in: the sums; out: the values that backward needs
  Matrix<const T> h_before;  // h_{t-1}; null means zeros. Only for `direct` cells
  Matrix<const T> c_before;  // c_{t-1}; null means zeros
  Matrix<T> c;               // out: c_t, if the cell has a memory
  Matrix<T> h;               // out: h_t
  Matrix<const T> keep;      // recurrent dropout: factors of the candidate; null means 1
  MemoryNorm<T> norm;
};

/// Some rows of one time step, backward pass.
template <class T>
struct CellBackward {
  std::size_t rows = 0, hidden = 0;
  Columns units{0, 0};
  Matrix<T> z;  // in: z as forward left it; out: the gradients of the sums
  Matrix<const T> h_before, c_before;
  // in: dL/dh_t; out, for `direct` cells: the part of dL/dh_{t-1} that bypasses the products
  Matrix<T> dh;
  Matrix<T> dc;  // in: dL/dc_t; out: dL/dc_{t-1}
  Matrix<const T> keep;
  MemoryNorm<T> norm;
};

template <class T>
struct CellKernels {
  void (*forward)(const CellForward<T>&) noexcept;
  void (*backward)(const CellBackward<T>&) noexcept;
};

}  // namespace unroll::kernels
