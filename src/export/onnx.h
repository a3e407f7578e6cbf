// A model for ONNX Runtime and whatever else reads ONNX.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "export/onnx_graph.h"
#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::exporter {

struct OnnxOptions {
  bool streaming = false;  ///< one time step, with all that is carried to the next as inputs
  bool lengths = false;    ///< an input that says how many steps each sequence has
  bool scaling = true;     ///< pixels go in as they are, 0 to 255
};

struct OnnxModel {
  std::string bytes;  ///< the same for the same model
  std::vector<OnnxValue> inputs, outputs;
};

/// The model in f32, batch and time free. In: `input`, (N, T, I), (N, I) of vectors, (N, 1, H, W)
/// of images, and with `streaming` (N, I), the next step; for each recurrent layer NAME.h_0 and an
/// LSTM's NAME.c_0, (L D, N, H) or (L D, 1, H) for all sequences, zeros or the learnt state where
/// they are not given. Out: `output`, (N, C) or (N, T, C), and NAME.h_n, NAME.c_n. A stream also
/// carries what a readout gathers: NAME.sum_0 and NAME.steps_0, or NAME.max_0, to ..._n.
///
/// Throws ValueError naming what ONNX can't say (projections, layer normalisation and zoneout in
/// cells), or what of the options does not suit the model; and for more than 2 GB of weights.
/// Sources: https://onnx.ai/onnx/operators/onnx__LSTM.html, onnx__GRU.html, onnx__RNN.html;
/// https://github.com/onnx/onnx/blob/main/docs/IR.md for inputs that have a default.
OnnxModel onnx(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights,
               const OnnxOptions& options = {});

}  // namespace unroll::exporter
