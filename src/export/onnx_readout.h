// A recurrent layer's readout in ONNX's operators.
#pragma once

#include <string>

#include "export/onnx_graph.h"
#include "unroll/spec/layers.h"

namespace unroll::exporter {

/// Names of the readout's values.
struct OnnxReadout {
  std::string x;        ///< (T, N, D H), every step; not needed for Readout::last
  std::string h_n;      ///< (D, N, H), the top layer's final state
  std::string lengths;  ///< (N) of i64, or ""
  std::string within;   ///< (T, N, 1), or ""
  std::string result;   ///< (N, F)
};

/// Adds the readout's operators, and returns the result's name. In a stream, also adds the inputs
/// and outputs that carry sums, counts and maxima from step to step. Not for Readout::every_step.
std::string add_onnx_readout(OnnxGraph& graph, const spec::RecurrentSpec& r,
                             const OnnxReadout& readout, bool streaming);

}  // namespace unroll::exporter
