// A model's weights for NumPy.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::exporter {

/// The bytes of an .npz file: every weight under its name (f64 where the weights are, otherwise
/// f32, which holds f16 and bf16 exactly), and the description as the text description.json. The
/// same model always makes the same bytes.
///
/// Throws ValueError for a name that can't be a file's in an archive.
/// Source: https://numpy.org/doc/stable/reference/generated/numpy.savez.html
std::vector<std::byte> npz(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights);

}  // namespace unroll::exporter
