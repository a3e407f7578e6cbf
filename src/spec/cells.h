// The table of the library's cells: a new cell is a row. docs/adding_a_cell.md lists what else it
// needs.
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

/// What the library knows of a cell beside its arithmetic.
struct CellInfo {
  std::string_view name;   // in files and on the command line: "lstm"
  std::string_view title;  // in texts: "LSTM"
  std::string_view torch;  // PyTorch's class, "nn.LSTM"; the title where it has none
  kernels::Cell kernel;    // its arithmetic
  // That with relu instead of tanh, where a description chooses between them.
  std::optional<kernels::Cell> relu_kernel = {};
  bool has_projection = false;     // h may be projected (proj_size)
  int forget_gate = -1;            // the gate that forget_bias raises; -1: none
  std::string_view onnx_operator;  // empty: ONNX has none, and the cell is refused by name
  // Which of PyTorch's gates each of the operator's is, one for each gate.
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

/// The arithmetic of a cell with this nonlinearity, which only some cells have.
inline kernels::Cell kernel_of(Cell cell, Nonlinearity nonlinearity) {
  const CellInfo& info = info_of(cell);
  return nonlinearity == Nonlinearity::relu ? info.relu_kernel.value_or(info.kernel) : info.kernel;
}

}  // namespace unroll::spec
