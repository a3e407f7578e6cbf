// A model with its weights, as unroll.Model holds it.
#pragma once

#include <string>
#include <variant>

#include "unroll/infer/model.h"
#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::python {

/// Runs in the precision of its weights, as in the program: f64 if one of them is in f64.
struct Model {
  io::Safetensors file;  // the weights as they were, for export and save
  spec::ModelSpec spec;
  std::variant<infer::Model<float>, infer::Model<double>> runs;

  /// Throws FormatError for weights that do not fit the description.
  Model(io::Safetensors weights, spec::ModelSpec description);
  /// Makes the weights its own. Throws FormatError.
  Model(const spec::ModelSpec& description, std::span<const io::ArrayView> weights);
};

/// A model of a file that describes itself. Refuses weights that are NaN or infinite unless
/// `allow_not_finite`. Throws FormatError with `name`.
Model described_model(io::Safetensors file, const std::string& name, bool allow_not_finite);

}  // namespace unroll::python
