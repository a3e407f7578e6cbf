// The weights in a file that PyTorch wrote: a .pt (torch.save) or a .safetensors.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/io/safetensors.h"

namespace unroll::importer {

/// Named tensors. Can be moved but not copied, because the arrays point into it.
struct StateDict {
  std::string name = "the file";  ///< for errors: the path of the file
  std::vector<io::ArrayView> arrays;
  std::vector<std::string> ignored;     ///< tensors left out by the `ignore` patterns
  std::vector<std::string> no_tensors;  ///< names beside the tensors whose values are no tensors
  std::string note;                     ///< which of several dictionaries was chosen, and why

  StateDict() = default;
  StateDict(StateDict&&) noexcept = default;
  StateDict& operator=(StateDict&&) noexcept = default;

  // The arrays' elements. A deque never moves its elements.
  std::deque<std::vector<std::byte>> memory;
  std::optional<io::Safetensors> file;
};

/// Whether one of the patterns matches the whole name, so that the tensor is left out. Patterns are
/// those of a shell: `*`, `?`, `[a-z]`. A dot is an ordinary character.
bool is_ignored(const std::string& name, std::span<const std::string> patterns);

/// Reads a .pt or a .safetensors; their first bytes tell which. In a .pt with dictionaries, `key`
/// is the path of the one with the weights, such as "model.state_dict" or "models.0". An empty key
/// means the only one, or the least deep one. In a whole module, pickled or written by
/// torch.jit.save, tensors get the names that they have in its state_dict. Tensors that match
/// `ignore` are not read.
///
/// Checks sizes against the file before it allocates memory. Executes nothing in the file and reads
/// no other file. Throws FileError or FormatError, which say what is wrong with the file, or list
/// the keys to choose from.
StateDict read_state_dict(const std::string& path, const std::string& key = {},
                          std::span<const std::string> ignore = {});

/// Reads the bytes of a .pt. `name` stands for the path in errors. Throws FormatError.
///
/// Tensors are returned row-major, whatever their strides in the file. All together they take at
/// most 4 times the file's size plus 1 MiB. Source:
/// https://pytorch.org/docs/stable/notes/serialization.html
StateDict parse_pt(const std::vector<std::byte>& bytes, const std::string& name,
                   const std::string& key = {}, std::span<const std::string> ignore = {});

}  // namespace unroll::importer
