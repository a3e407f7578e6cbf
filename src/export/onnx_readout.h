// What of a recurrent layer's outputs goes on, in ONNX's operators.
#pragma once

#include <string>

#include "export/onnx_graph.h"
#include "unroll/spec/layers.h"

namespace unroll::exporter {

/// Names of values.
struct OnnxReadout {
  std::string x;        ///< (T, N, D H), every step; not read of Readout::last
  std::string h_n;      ///< (D, N, H), of the top layer
  std::string lengths;  ///< (N) of i64, or ""
  std::string within;   ///< (T, N, 1), or ""
  std::string result;   ///< (N, F)
};

/// Adds the operators, and in a stream the inputs and outputs that carry what was gathered so far.
/// Returns the result's name. Not for Readout::every_step.
std::string add_onnx_readout(OnnxGraph& graph, const spec::RecurrentSpec& r,
                             const OnnxReadout& readout, bool streaming);

}  // namespace unroll::exporter
