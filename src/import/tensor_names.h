// Where in a pickle the weights are, and what they are called.
#pragma once

#include <string>
#include <vector>

#include "import/pickle.h"

namespace unroll::importer {

struct NamedValue {
  std::string name;
  Ref value = kNothing;
};

struct FoundTensors {
  /// Tensors, and objects that functions for tensors of kinds that are not supported would give.
  std::vector<NamedValue> tensors;
  std::vector<std::string> others;  ///< names beside them whose values are no tensors
  std::string note;                 ///< what was chosen, where something else could have been
};

/// The tensors of a state_dict, or of a whole module under the names that its state_dict would
/// have: the only one, the least deep one, or that at `key`, a path of keys such as
/// "model.state_dict" or "models.0". Dictionaries of one layer each, side by side, are taken
/// together.
///
/// Throws FormatError, naming `file` and the paths that could be meant. Linear in the pickle.
FoundTensors find_tensors(const Pickle& pickle, const std::string& key, const std::string& file);

}  // namespace unroll::importer
