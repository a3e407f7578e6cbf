// The cells that every test of all cells goes through: one list.
#pragma once

#include <array>
#include <string>

#include "kernels/cell.h"

namespace unroll::test {

/// In the order of kernels::Cell, as the reference cases call them.
inline constexpr const char* cell_names[] = {"rnn_relu", "rnn_tanh", "lstm", "gru"};
static_assert(std::size(cell_names) == kernels::kCells);

inline constexpr std::array<kernels::Cell, kernels::kCells> all_cells = [] {
  std::array<kernels::Cell, kernels::kCells> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<kernels::Cell>(i);
  return all;
}();

inline std::string name_of(kernels::Cell cell) {
  return cell_names[static_cast<std::size_t>(cell)];
}

}  // namespace unroll::test
