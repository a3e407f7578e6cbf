// One recurrent layer as ONNX's operator RNN, LSTM or GRU.
#pragma once

#include <string>
#include <vector>

#include "export/onnx_graph.h"
#include "export/weights.h"
#include "unroll/spec/layers.h"

namespace unroll::exporter {

/// Throws ValueError, which names the feature that the operators do not have.
void check_onnx_can_say(const spec::RecurrentSpec& r);

/// The names of layer l's values.
struct OnnxCell {
  std::string x, lengths, h_0, c_0;  ///< inputs: (T, N, I); (N); (D, N, H), c_0 only for an LSTM
  std::string y, h_n, c_n;           ///< outputs: (T, D, N, H), "" if nobody reads it; (D, N, H)
};

/// Adds the operator with its weights W (D, G H, I), R (D, G H, H) and B (D, 2 G H). The gates are
/// in ONNX's order: input, output, forget, cell for an LSTM; update, reset, candidate for a GRU.
void add_onnx_cell(OnnxGraph& graph, const spec::RecurrentSpec& r, std::int64_t l,
                   const Weights& weights, const OnnxCell& cell);

}  // namespace unroll::exporter
