// The architecture file: the parts of a network's description that its weights do not determine.
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

/// The weights leave questions open, which the user must answer.
class OpenQuestions : public Error {
 public:
  OpenQuestions(std::string_view message, std::string file)
      : Error("import", message), architecture_(std::move(file)) {}

  /// A template of the architecture file, whose open lines list the choices.
  const std::string& architecture() const { return architecture_; }

 private:
  std::string architecture_;
};

struct Architecture {
  spec::ModelSpec spec;
  /// The name in the weights file of each layer with weights, by its name in the description.
  std::map<std::string, std::string> sources;
  std::vector<std::string> used;  ///< tensors whose numbers became part of the description
  /// The file's tensors that are learnt states under another name, by the description's name
  /// ("rnn.h_0").
  std::map<std::string, std::string> states;
  Ending ending = Ending::none;  ///< the original's last step, which the model leaves out
};

/// Who wrote an architecture file.
enum class Author {
  user,
  guess  ///< tensors that no layer takes are an open question, not an error
};

/// Reads a description of a model (docs/interoperability.md) that may leave out everything the
/// weights determine: sizes, biases, directions, the input. Throws FormatError, which names the
/// file, the layer and the fault. Throws OpenQuestions for everything that the file leaves open;
/// FormatError instead if tensors are left over, because then no answer would help.
Architecture read_architecture(std::string_view text, const WeightNames& weights,
                               const std::string& file = "the architecture",
                               Author author = Author::user);

/// Guesses the architecture from the weights alone. The layers are in the file's order if their
/// sizes fit in it, and otherwise in an order in which they fit. Throws FormatError, which names
/// every tensor that no layer here has, or the sizes if no order fits. Throws OpenQuestions for
/// everything that the weights leave open, and they nearly always do.
Architecture guess_architecture(const WeightNames& weights);

}  // namespace unroll::importer
