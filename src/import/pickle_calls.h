// The results of the functions that pickles call, as data.
#pragma once

#include <span>
#include <string_view>

#include "import/pickle.h"

namespace unroll::importer {

/// Whether a name is a storage's type, such as "torch.FloatStorage".
bool is_storage_type(std::string_view global);

/// Whether a name can run code that a file brings along, such as "posix.system". No data needs such
/// a name. Nothing is ever run here; it is refused because Python may run it elsewhere.
bool runs_something(std::string_view module, std::string_view name);

/// The value that `function` would return. Functions that make tensors, dictionaries and lists are
/// known by name. For any other function, the value is an object that has only the function's name.
/// Returns kNothing if the function does not take these arguments.
///
/// The known functions are those that torch.load accepts with weights_only=True
/// (torch/_weights_only_unpickler.py of PyTorch 2.13), and those that torch.jit.save writes
/// (torch/jit/_pickle.py).
Ref call(Pickle& pickle, Ref function, std::span<const Ref> given);

}  // namespace unroll::importer
