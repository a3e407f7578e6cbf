// One recurrent layer as ONNX's operators RNN, LSTM and GRU have it.
#pragma once

#include <string>
#include <vector>

#include "export/onnx_graph.h"
#include "export/weights.h"
#include "unroll/spec/layers.h"

namespace unroll::exporter {

/// Throws ValueError naming what the operators have no word for.
void check_onnx_can_say(const spec::RecurrentSpec& r);

/// The names of layer l's values.
struct OnnxCell {
  std::string x, lengths, h_0, c_0;  ///< in: (T, N, I); (N); (D, N, H), c_0 of an LSTM alone
  std::string y, h_n, c_n;           ///< out: (T, D, N, H), "" where nobody reads it; (D, N, H)
};

/// Adds the operator, with its weights as W (D, G H, I), R (D, G H, H) and B (D, 2 G H), the gates
/// in ONNX's order: input, output, forget, cell of an LSTM, update, reset, candidate of a GRU.
void add_onnx_cell(OnnxGraph& graph, const spec::RecurrentSpec& r, std::int64_t l,
                   const Weights& weights, const OnnxCell& cell);

}  // namespace unroll::exporter
