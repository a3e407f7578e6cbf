// Exports a model as one JavaScript module, for browsers and Node.
#pragma once

#include <span>
#include <string>

#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::exporter {

/// The data that `class Network` of src/export/js/network.js takes, as JSON: `description` (as
/// spec::to_json), `weights` (for each name its shape, and its values as base64 of little-endian
/// f32) and, if the model reads pixels in a random order, `order`: the pixel at each place.
///
/// Throws FormatError for weights that do not fit the description, or are not finite; ValueError
/// for more weights than a JavaScript text can hold.
std::string js_data(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights);

/// An ES module with the data and the code that runs it, without dependencies. It exports `reset`,
/// `step` and `process` of one network, that `network`, and the class `Network`. It runs every
/// model that infer::Model runs. Results differ by rounding. Throws the errors of js_data().
std::string js_module(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights);

}  // namespace unroll::exporter
