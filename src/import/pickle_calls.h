// What the functions that pickles call would give, as data.
#pragma once

#include <span>
#include <string_view>

#include "import/pickle.h"

namespace unroll::importer {

/// Whether a name is that of a storage's type: "torch.FloatStorage".
bool is_storage_type(std::string_view global);

/// Whether a name is that of something which no data needs and which runs what a file says:
/// "posix.system". Nothing is ever run here. It is refused because PyTorch may run it elsewhere.
bool runs_something(std::string_view module, std::string_view name);

/// The value that `function` would give, by its name. Tensors, dictionaries and lists that are
/// known are read; of everything else there is an object, which knows nothing but the function's
/// name. kNothing where the arguments are none that it takes.
///
/// What is known is all that torch.load takes with weights_only=True
/// (torch/_weights_only_unpickler.py of PyTorch 2.13), and what torch.jit.save writes
/// (torch/jit/_pickle.py).
Ref call(Pickle& pickle, Ref function, std::span<const Ref> given);

}  // namespace unroll::importer
