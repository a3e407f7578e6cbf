// The table of the library's cells. A new cell is a new row; docs/adding_a_cell.md lists the other
// steps.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kernels/cell.h"
#include "unroll/spec/layers.h"

namespace unroll::spec {

/// The properties of a cell, without its arithmetic.
struct CellInfo {
  std::string_view name;   // name in files and on the command line: "lstm"
  std::string_view title;  // name in texts: "LSTM"
  std::string_view torch;  // PyTorch's class, "nn.LSTM"; the title if PyTorch has none
  kernels::Cell kernel;    // its arithmetic
  // The arithmetic with relu instead of tanh, for a cell with a choice of the two.
  std::optional<kernels::Cell> relu_kernel = {};
  bool has_projection = false;     // h may be projected (proj_size)
  int forget_gate = -1;            // the gate that forget_bias raises; -1: none
  std::string_view onnx_operator;  // empty if ONNX has none; export then refuses the cell by name
  // For each gate of the ONNX operator, the index of PyTorch's gate.
  std::array<std::size_t, 4> onnx_gates = {};

  constexpr CellTraits traits() const { return kernels::traits_of(kernel); }
  constexpr bool has_nonlinearity() const { return relu_kernel.has_value(); }
  constexpr bool has_memory() const { return traits().memory; }
};

/// All cells, in the order of Cell.
std::span<const CellInfo> cells();
const CellInfo& info_of(Cell cell);
inline const CellInfo& info_of(const RecurrentSpec& r) { return info_of(r.cell); }

/// "rnn, lstm or gru"
std::string cell_names();

/// The cell of this name, or nothing.
std::optional<Cell> find_cell(std::string_view name);

/// The arithmetic of a cell with this nonlinearity. Cells without a choice ignore it.
inline kernels::Cell kernel_of(Cell cell, Nonlinearity nonlinearity) {
  const CellInfo& info = info_of(cell);
  return nonlinearity == Nonlinearity::relu ? info.relu_kernel.value_or(info.kernel) : info.kernel;
}

}  // namespace unroll::spec
