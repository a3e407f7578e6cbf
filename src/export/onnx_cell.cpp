#include "export/onnx_cell.h"

#include <fmt/format.h>

#include <span>

#include "core/printable.h"
#include "io/safetensors_header.h"
#include "spec/cells.h"
#include "spec/layer_weights.h"
#include "unroll/core/error.h"

namespace unroll::exporter {
namespace {

/// Appends the blocks of a weight, one for each gate, in ONNX's order.
void append_gate(std::vector<float>& to, const std::vector<float>& weight,
                 std::span<const std::size_t> gates) {
  const std::size_t block = weight.size() / gates.size();
  for (const std::size_t gate : gates) {
    const auto from = std::span(weight).subspan(gate * block, block);
    to.insert(to.end(), from.begin(), from.end());
  }
}

std::vector<OnnxAttribute> attributes_of(const spec::RecurrentSpec& r) {
  std::vector<OnnxAttribute> attributes = {{"hidden_size", r.hidden_size}};
  if (r.bidirectional) attributes.push_back({"direction", std::string("bidirectional")});
  if (spec::info_of(r).has_nonlinearity())
    attributes.push_back(
        {"activations",
         std::vector<std::string>(static_cast<std::size_t>(r.directions()),
                                  r.nonlinearity == Nonlinearity::tanh ? "Tanh" : "Relu")});
  // As in PyTorch, the reset gate scales R h + Rb, not h.
  if (spec::info_of(r).onnx_operator == "GRU")
    attributes.push_back({"linear_before_reset", std::int64_t{1}});
  return attributes;
}

}  // namespace

void check_onnx_can_say(const spec::RecurrentSpec& r) {
  const auto refuse = [&](const std::string& what) {
    throw ValueError("export", fmt::format("{}: ONNX has no {}; --format npz writes the weights "
                                           "and the description of any model",
                                           in_quotes(r.name), what));
  };
  const spec::CellInfo& cell = spec::info_of(r);
  if (cell.onnx_operator.empty()) refuse(fmt::format("operator for a layer of {}s", cell.title));
  if (r.proj_size > 0)
    refuse(fmt::format("{} with a projection (proj_size {})", cell.title, r.proj_size));
  if (r.layer_norm) refuse(fmt::format("{} with layer normalisation", cell.title));
  if (r.zoneout_h > 0 || r.zoneout_c > 0)
    refuse(
        fmt::format("{} with zoneout, which also changes a trained model (zoneout_h {}, zoneout_c "
                    "{})",
                    cell.title, r.zoneout_h, r.zoneout_c));
}

void add_onnx_cell(OnnxGraph& graph, const spec::RecurrentSpec& r, std::int64_t l,
                   const Weights& weights, const OnnxCell& cell) {
  const spec::CellInfo& info = spec::info_of(r);
  const auto gates = std::span(info.onnx_gates).first(info.traits().gates);
  std::vector<float> w, recurrent, b;
  for (std::int64_t d = 0; d < r.directions(); ++d) {
    const auto part = [&](WeightRole role) {
      return weights(fmt::format("{}.{}", r.name, spec::weight_name(role, l, d)));
    };
    append_gate(w, part(WeightRole::weight_ih), gates);
    append_gate(recurrent, part(WeightRole::weight_hh), gates);
    if (!r.bias) continue;
    append_gate(b, part(WeightRole::bias_ih), gates);
    append_gate(b, part(WeightRole::bias_hh), gates);
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
  if (info.has_memory()) {
    in.push_back(cell.c_0);
    out.push_back(cell.c_n);
  }
  graph.node(info.onnx_operator, in, out, attributes_of(r));
}

}  // namespace unroll::exporter
