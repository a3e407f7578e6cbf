#include "spec/cells.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "core/list_text.h"

namespace unroll::spec {
namespace {

// In the order of Cell.
constexpr CellInfo kCells[] = {
    {.name = "rnn",
     .title = "RNN",
     .torch = "nn.RNN",
     .kernel = kernels::Cell::rnn_tanh,
     .relu_kernel = kernels::Cell::rnn_relu,
     .onnx_operator = "RNN",
     .onnx_gates = {0}},
    {.name = "lstm",
     .title = "LSTM",
     .torch = "nn.LSTM",
     .kernel = kernels::Cell::lstm,
     .has_projection = true,
     .forget_gate = 1,
     .onnx_operator = "LSTM",
     .onnx_gates = {0, 3, 1, 2}},  // i o f c of i f g o
    {.name = "gru",
     .title = "GRU",
     .torch = "nn.GRU",
     .kernel = kernels::Cell::gru,
     .onnx_operator = "GRU",
     .onnx_gates = {1, 0, 2}},  // z r h of r z n
};

}  // namespace

std::span<const CellInfo> cells() { return kCells; }

const CellInfo& info_of(Cell cell) { return kCells[static_cast<std::size_t>(cell)]; }

std::optional<Cell> find_cell(std::string_view name) {
  const auto found = std::ranges::find(kCells, name, &CellInfo::name);
  if (found == std::end(kCells)) return std::nullopt;
  return static_cast<Cell>(found - std::begin(kCells));
}

std::string cell_names() {
  std::vector<std::string> names;
  for (const CellInfo& cell : kCells) names.emplace_back(cell.name);
  return text_with_or(names);
}

std::int64_t RecurrentSpec::gates() const {
  return static_cast<std::int64_t>(info_of(cell).traits().gates);
}

}  // namespace unroll::spec
