// The architecture file: what a network is, as far as its weights do not tell.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "import/ending.h"
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
  /// Learnt states ("rnn.h_0") and the tensors that they are in the file, where those have a name
  /// of their own.
  std::map<std::string, std::string> states;
  Ending ending = Ending::none;  ///< of the original
};

/// Who wrote an architecture file.
enum class Author {
  user,
  guess  ///< what it leaves out is open, also tensors that no layer takes
};

/// A description of a model (docs/interoperability.md), in which what the weights tell may be left
/// out: sizes, biases, directions, what goes in. Throws FormatError naming the file, the layer and
/// what is wrong with it, also where tensors are left over and so no answer would help;
/// OpenQuestions for what it leaves open.
Architecture read_architecture(std::string_view text, const WeightNames& weights,
                               const std::string& file = "the architecture",
                               Author author = Author::user);

/// What the weights alone tell, the layers being in the file's order if their sizes fit in it, and
/// otherwise in one in which they do. Throws FormatError naming every tensor that no layer here
/// has, or where no order fits; OpenQuestions for what the weights leave open: nearly always
/// something.
Architecture guess_architecture(const WeightNames& weights);

}  // namespace unroll::importer
