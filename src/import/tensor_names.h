// Finds the weights in a pickle, with their names.
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
  /// Tensors, and objects that stand for tensors of unsupported kinds.
  std::vector<NamedValue> tensors;
  std::vector<std::string> others;  ///< names beside them whose values are no tensors
  std::string note;                 ///< the choice that was made, if there were several
};

/// Finds the tensors of a state_dict, or of a whole module under the names that they have in its
/// state_dict. Takes the dictionary at `key`, a path such as "model.state_dict" or "models.0".
/// Without a key, takes the only one, or the least deep one. Combines dictionaries of one layer
/// each that lie side by side.
///
/// Throws FormatError, which names `file` and the possible paths. Takes time linear in the pickle.
FoundTensors find_tensors(const Pickle& pickle, const std::string& key, const std::string& file);

}  // namespace unroll::importer
