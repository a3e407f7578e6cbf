// Makes a model that runs here from a file that PyTorch wrote.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/ending.h"
#include "import/state_dict.h"
#include "unroll/infer/model.h"

namespace unroll::importer {

/// One weight of a model, converted to f32.
struct Weight {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;

  io::ArrayView view() const {
    return {name, io::ElementType::f32, shape, std::as_bytes(std::span(values))};
  }
};

struct ImportedModel {
  spec::ModelSpec spec;
  std::vector<Weight> weights;   ///< in the order of spec::weights_of
  Ending ending = Ending::none;  ///< the original's last step, which the model leaves out

  infer::Model<float> model() const;
  /// Throws FileError.
  void save(const std::string& path) const;
};

/// Makes a model from weights and the text of an architecture file. Without the text, it guesses
/// the architecture from the weights. Every tensor must be a weight of the model. `file` names the
/// architecture in errors.
///
/// Throws FormatError, which lists every tensor that is missing or left over, and every one with
/// the wrong shape, with elements that are no floats, or with numbers that are not finite in f32.
/// Throws OpenQuestions if the weights leave something open.
ImportedModel import_model(const StateDict& state, std::optional<std::string_view> architecture,
                           const std::string& file = "the architecture");

}  // namespace unroll::importer
