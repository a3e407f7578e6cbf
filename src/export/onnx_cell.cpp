#include "export/onnx_cell.h"

#include <fmt/format.h>

#include <span>

#include "core/printable.h"
#include "io/safetensors_header.h"
#include "unroll/core/error.h"

namespace unroll::exporter {
namespace {

/// Which of PyTorch's gates is each of ONNX's: i f g o there is i o f c here, and r z n is z r h.
std::vector<std::size_t> gates_of(spec::Cell cell) {
  switch (cell) {
    case spec::Cell::lstm:
      return {0, 3, 1, 2};
    case spec::Cell::gru:
      return {1, 0, 2};
    case spec::Cell::rnn:
      break;
  }
  return {0};
}

/// Appends the blocks of a weight, one for each gate, in ONNX's order.
void append(std::vector<float>& to, const std::vector<float>& weight,
            const std::vector<std::size_t>& gates) {
  const std::size_t block = weight.size() / gates.size();
  for (const std::size_t gate : gates) {
    const auto from = std::span(weight).subspan(gate * block, block);
    to.insert(to.end(), from.begin(), from.end());
  }
}

const char* operator_of(spec::Cell cell) {
  return cell == spec::Cell::lstm ? "LSTM" : cell == spec::Cell::gru ? "GRU" : "RNN";
}

std::vector<OnnxAttribute> attributes_of(const spec::RecurrentSpec& r) {
  std::vector<OnnxAttribute> attributes = {{"hidden_size", r.hidden_size}};
  if (r.bidirectional) attributes.push_back({"direction", std::string("bidirectional")});
  if (r.cell == spec::Cell::rnn)
    attributes.push_back(
        {"activations",
         std::vector<std::string>(static_cast<std::size_t>(r.directions()),
                                  r.nonlinearity == Nonlinearity::tanh ? "Tanh" : "Relu")});
  // As PyTorch: the reset gate scales R h + Rb, not h.
  if (r.cell == spec::Cell::gru) attributes.push_back({"linear_before_reset", std::int64_t{1}});
  return attributes;
}

}  // namespace

void check_onnx_can_say(const spec::RecurrentSpec& r) {
  const auto refuse = [&](const std::string& what) {
    throw ValueError("export", fmt::format("{}: ONNX has no {}; --format npz has the weights and "
                                           "the description of any model",
                                           in_quotes(r.name), what));
  };
  if (r.proj_size > 0) refuse(fmt::format("LSTM with a projection (proj_size {})", r.proj_size));
  if (r.layer_norm) refuse(fmt::format("{} with layer normalisation", operator_of(r.cell)));
  if (r.zoneout_h > 0 || r.zoneout_c > 0)
    refuse(
        fmt::format("{} with zoneout, which a trained model does too (zoneout_h {}, zoneout_c "
                    "{})",
                    operator_of(r.cell), r.zoneout_h, r.zoneout_c));
}

void add_onnx_cell(OnnxGraph& graph, const spec::RecurrentSpec& r, std::int64_t l,
                   const Weights& weights, const OnnxCell& cell) {
  const std::vector<std::size_t> gates = gates_of(r.cell);
  std::vector<float> w, recurrent, b;
  for (std::int64_t d = 0; d < r.directions(); ++d) {
    const auto part = [&](std::string_view name) {
      return weights(fmt::format("{}.{}_l{}{}", r.name, name, l, d == 1 ? "_reverse" : ""));
    };
    append(w, part("weight_ih"), gates);
    append(recurrent, part("weight_hh"), gates);
    if (!r.bias) continue;
    append(b, part("bias_ih"), gates);
    append(b, part("bias_hh"), gates);
  }
  const std::int64_t directions = r.directions(), rows = r.gates() * r.hidden_size;
  const auto add = [&](const char* name, std::vector<std::int64_t> shape,
                       const std::vector<float>& values) {
    const std::string full = fmt::format("{}.{}_l{}", r.name, name, l);
    graph.constant(full, shape, std::span<const float>(values));
    return full;
  };
  const std::int64_t inputs = l == 0 ? r.input_size : directions * r.hidden_size;
  std::vector<std::string> in = {cell.x,
                                 add("W", {directions, rows, inputs}, w),
                                 add("R", {directions, rows, r.hidden_size}, recurrent),
                                 r.bias ? add("B", {directions, 2 * rows}, b) : "",
                                 cell.lengths,
                                 cell.h_0};
  std::vector<std::string> out = {cell.y, cell.h_n};
  if (r.cell == spec::Cell::lstm) {
    in.push_back(cell.c_0);
    out.push_back(cell.c_n);
  }
  graph.node(operator_of(r.cell), in, out, attributes_of(r));
}

}  // namespace unroll::exporter
