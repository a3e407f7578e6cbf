// Exports a model to ONNX, for ONNX Runtime and other programs.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "export/onnx_graph.h"
#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::exporter {

struct OnnxOptions {
  bool streaming = false;  ///< export one time step; states become inputs and outputs
  bool lengths = false;    ///< add an input with the number of steps of each sequence
  bool scaling = true;     ///< put the scaling of pixels into the graph: they go in as 0 to 255
};

struct OnnxModel {
  std::string bytes;  ///< the file's content; the same for the same model
  std::vector<OnnxValue> inputs, outputs;
};

/// The model in f32, for any batch size and number of steps.
///
/// | inputs             | `input`: sequences (N, T, I), vectors (N, I), images (N, 1, H, W); |
/// |                    | with `streaming` the next step, (N, I)                             |
/// |                    | NAME.h_0: (L D, N, H), or (L D, 1, H) for all sequences;           |
/// |                    | default: zeros or the learnt state                                 |
/// |                    | NAME.c_0: the same, for LSTMs                                      |
/// | outputs            | `output`: (N, C) or (N, T, C)                                      |
/// |                    | NAME.h_n, and NAME.c_n for LSTMs: (L D, N, H)                      |
///
/// NAME is a recurrent layer's name. A stream also has inputs for sums, counts and maxima of
/// readouts: NAME.sum_0 and NAME.steps_0, or NAME.max_0, with outputs ..._n.
///
/// Throws ValueError, which names the feature that ONNX does not have (projections, layer
/// normalisation and zoneout in cells), or the option that does not suit the model. Throws it also
/// for more than 2 GB of weights.
///
/// Sources: https://onnx.ai/onnx/operators/onnx__LSTM.html, onnx__GRU.html, onnx__RNN.html;
/// https://github.com/onnx/onnx/blob/main/docs/IR.md for inputs that have a default.
OnnxModel onnx(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights,
               const OnnxOptions& options = {});

}  // namespace unroll::exporter
