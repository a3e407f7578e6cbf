// unroll import --check: compares an imported model with the outputs of the original.
#pragma once

#include <string>
#include <vector>

#include "import/import_model.h"
#include "unroll/io/npy.h"

namespace unroll::app {

/// As in NumPy's allclose: |output - expected| <= absolute + relative |expected|.
struct Tolerance {
  double absolute = 1e-5, relative = 1e-5;
};

/// The original's inputs and outputs.
struct Original {
  io::NpyArray inputs, outputs;
  std::string name;  ///< of the outputs, for messages
};

struct Comparison {
  bool good = false;
  std::string text;  ///< a line about the worst output: the largest ratio of error to tolerance
};

/// Runs the model on the original's inputs and compares the outputs. If the original ends in a
/// softmax, the model's outputs go through one first. Throws ShapeError if the shapes differ in
/// more than dimensions of size 1.
Comparison compare(const importer::ImportedModel& imported, const Original& original,
                   const Tolerance& tolerance);

/// Looks for a different interpretation of the same weights that gives the original's outputs:
/// another readout or activation, another time step, or a function of the outputs. Some of these
/// can't be imported. Empty if none fits. Call it after a comparison that was not good.
std::string likely_cause(const importer::ImportedModel& imported, const Original& original,
                         const Tolerance& tolerance);

}  // namespace unroll::app
