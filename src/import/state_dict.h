// The weights in a file that PyTorch made: a .pt (torch.save) or a .safetensors.
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

/// Named tensors; moves, but does not copy (the arrays point into it).
struct StateDict {
  std::string name = "the file";  ///< for errors: the path that it was read from
  std::vector<io::ArrayView> arrays;
  std::vector<std::string> ignored;     ///< tensors that were left out, as asked for
  std::vector<std::string> no_tensors;  ///< what else stood beside the tensors
  std::string note;                     ///< which of several dictionaries was chosen, and why

  StateDict() = default;
  StateDict(StateDict&&) noexcept = default;
  StateDict& operator=(StateDict&&) noexcept = default;

  // What the arrays point into; a deque's elements stay where they are.
  std::deque<std::vector<std::byte>> memory;
  std::optional<io::Safetensors> file;
};

/// Whether a name is that of a tensor to leave out: one of the patterns fits all of it, as a
/// shell's do (`*`, `?`, `[a-z]`; a dot is a character as any other).
bool is_ignored(const std::string& name, std::span<const std::string> patterns);

/// Reads either, told apart by their first bytes. Of a .pt that holds dictionaries, `key` is the
/// path to the one that has the weights, as "model.state_dict" or "models.0"; empty: the only one,
/// or the least deep. A whole module, pickled or of torch.jit.save, has the names that its
/// state_dict would have. Tensors that `ignore` fits are not read.
///
/// Sizes are checked against the file before memory is asked for. Nothing in the file is executed,
/// and no other file is read.
/// Throws FileError or FormatError, which say what is wrong with the file, or which keys there are.
StateDict read_state_dict(const std::string& path, const std::string& key = {},
                          std::span<const std::string> ignore = {});

/// The same from the bytes of a .pt; `name` stands for the path in errors. Throws FormatError.
///
/// Tensors come out row-major, whatever strides they were saved with. All together they are at most
/// 4 times as long as the file, and 1 MiB. Source:
/// https://pytorch.org/docs/stable/notes/serialization.html
StateDict parse_pt(const std::vector<std::byte>& bytes, const std::string& name,
                   const std::string& key = {}, std::span<const std::string> ignore = {});

}  // namespace unroll::importer
