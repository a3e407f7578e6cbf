// unroll import --check: an imported model beside the outputs of the original.
#pragma once

#include <string>
#include <vector>

#include "import/import_model.h"
#include "unroll/io/npy.h"

namespace unroll::app {

/// As NumPy's allclose: an output is right if |output - expected| <= absolute + relative
/// |expected|.
struct Tolerance {
  double absolute = 1e-5, relative = 1e-5;
};

/// Inputs, and what the original makes of them.
struct Original {
  io::NpyArray inputs, outputs;
  std::string name;  ///< of the outputs, for messages
};

struct Comparison {
  bool good = false;
  std::string text;  ///< a line: the output that is furthest off for what is allowed
};

/// Runs the model on the original's inputs and compares; of an original that ends in a softmax, the
/// softmax of its outputs. Throws ShapeError where the shapes differ by more than dimensions of 1.
Comparison compare(const importer::ImportedModel& imported, const Original& original,
                   const Tolerance& tolerance);

/// Other readings of the same weights that do give the original's outputs, also such as can't be
/// imported: another readout or function, directions that are read at another step, a function of
/// the outputs. Empty where none is found. For a comparison that was not good.
std::string likely_cause(const importer::ImportedModel& imported, const Original& original,
                         const Tolerance& tolerance);

}  // namespace unroll::app
