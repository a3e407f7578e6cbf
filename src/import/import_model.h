// From a file of PyTorch's to a model that runs here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/ending.h"
#include "import/state_dict.h"
#include "unroll/infer/model.h"

namespace unroll::importer {

/// A model's weight, in f32 whatever it was stored in.
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
  Ending ending = Ending::none;  ///< what the original does after the model's last layer

  infer::Model<float> model() const;
  /// Throws FileError.
  void save(const std::string& path) const;
};

/// Makes a model of weights and, where it is given, the text of an architecture file. Every tensor
/// has to be a weight of the model. `file` is the architecture's name in errors.
///
/// Throws FormatError listing every tensor that is missing, left over, of another shape, no float,
/// or not finite in f32; OpenQuestions for what the weights leave open.
ImportedModel import_model(const StateDict& state, std::optional<std::string_view> architecture,
                           const std::string& file = "the architecture");

}  // namespace unroll::importer
