// The architecture file: what a network is, as far as its weights do not tell.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "import/weight_names.h"
#include "unroll/core/error.h"
#include "unroll/spec/model_spec.h"

namespace unroll::importer {

/// The weights leave something open that the user must say.
class OpenQuestions : public Error {
 public:
  OpenQuestions(std::string_view message, std::string file)
      : Error("import", message), architecture_(std::move(file)) {}

  /// An architecture file, lines of it with the choices that there are.
  const std::string& architecture() const { return architecture_; }

 private:
  std::string architecture_;
};

struct Architecture {
  spec::ModelSpec spec;
  /// Of each layer that has weights, its name in the file, by its name in the description.
  std::map<std::string, std::string> sources;
  std::vector<std::string> used;  ///< weights that became part of the description
};

/// A description of a model (docs/interoperability.md), in which what the weights tell may be left
/// out: sizes, biases, directions, what goes in. Throws FormatError naming the file, the layer and
/// what is wrong with it, OpenQuestions for what it leaves open.
Architecture read_architecture(std::string_view text, const WeightNames& weights,
                               const std::string& file = "the architecture");

/// An architecture file, all that it leaves open being asked for in it. Throws FormatError.
std::string with_questions(std::string_view text, const WeightNames& weights);

/// What the weights alone tell, the layers being in the file's order if their sizes fit in it, and
/// otherwise as spec::from_weights has them. Throws FormatError where their sizes don't fit one
/// after the other, OpenQuestions for what they leave open: nearly always something.
Architecture guess_architecture(const WeightNames& weights);

}  // namespace unroll::importer
