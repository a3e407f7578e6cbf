// A model's weights for NumPy.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::exporter {

/// The bytes of an .npz file: every weight under its name, and the description as the text
/// description.json. Weights in f64 stay f64. All others become f32, which holds f16 and bf16
/// exactly. The same model always gives the same bytes.
///
/// Throws ValueError if a weight's name can't be a file name in an archive.
/// Source: https://numpy.org/doc/stable/reference/generated/numpy.savez.html
std::vector<std::byte> npz(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights);

}  // namespace unroll::exporter
