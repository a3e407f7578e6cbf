// Cells: the element-wise arithmetic between the sums of a recurrent layer's gates and its states.
//
// A cell knows nothing of time, direction, lengths, products or threads: the driver
// (kernels/recurrent.h) owns those. docs/adding_a_cell.md shows how to write one.
#pragma once

#include <cstddef>

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
  T* statistics = nullptr;    // of each row the mean of c and 1 / its deviation
  std::ptrdiff_t statistics_row = 0;
  T* grad_weight = nullptr;  // (H), backward adds to them
  T* grad_bias = nullptr;
};

/// A range of hidden units: columns of each gate.
struct Units {
  std::size_t begin, end;
};

/// Some rows of one time step, forward: units.begin .. units.end - 1 of each. Rows are so many
/// elements apart; columns are adjacent.
template <class T>
struct CellForward {
  std::size_t rows = 0, hidden = 0;
  Units units{0, 0};  // all of them where there is a norm
  T* z = nullptr;     // in: the sums; out: whatever backward wants to find
  std::ptrdiff_t z_row = 0;
  const T* h_before = nullptr;  // h_{t-1}; null: zeros. Given to `direct` cells
  std::ptrdiff_t h_before_row = 0;
  const T* c_before = nullptr;  // c_{t-1}; null: zeros
  std::ptrdiff_t c_before_row = 0;
  T* c = nullptr;  // out: c_t, where the cell has a memory
  std::ptrdiff_t c_row = 0;
  T* h = nullptr;  // out: h_t
  std::ptrdiff_t h_row = 0;
  const T* keep = nullptr;  // recurrent dropout: the candidate's factors; null: 1
  std::ptrdiff_t keep_row = 0;
  MemoryNorm<T> norm;
};

/// The same, backward.
template <class T>
struct CellBackward {
  std::size_t rows = 0, hidden = 0;
  Units units{0, 0};
  T* z = nullptr;  // in: what forward left; out: the gradients of the sums
  std::ptrdiff_t z_row = 0;
  const T* h_before = nullptr;
  std::ptrdiff_t h_before_row = 0;
  const T* c_before = nullptr;
  std::ptrdiff_t c_before_row = 0;
  T* dh = nullptr;  // in: of h_t; out, for `direct` cells: the part of h_{t-1}'s past the products
  std::ptrdiff_t dh_row = 0;
  T* dc = nullptr;  // in: of c_t; out: of c_{t-1}
  std::ptrdiff_t dc_row = 0;
  const T* keep = nullptr;
  std::ptrdiff_t keep_row = 0;
  MemoryNorm<T> norm;
};

template <class T>
struct CellKernels {
  void (*forward)(const CellForward<T>&) noexcept;
  void (*backward)(const CellBackward<T>&) noexcept;
};

}  // namespace unroll::kernels
