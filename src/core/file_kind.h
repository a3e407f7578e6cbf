// What kind of file a file is, by its content: for errors about a file that is something else.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"

namespace unroll {

struct FileKind {
  std::string what;  ///< "a Git LFS pointer, the text that stands for a file"
  /// What makes the right file of it; empty where that depends on what was wanted.
  std::string_view remedy = {};
  /// How weights come out of it; empty where it can't hold any.
  std::string_view for_weights = {};
  bool is_text = false;  ///< JSON, or another text of which no more is known
};

/// Kinds that readers here ask for.
inline constexpr std::string_view safetensors_kind = "a safetensors file",
                                  pt_sequence_kind = "a file of PyTorch's torch.save of before 1.6",
                                  pt_zip_kind = "a file of PyTorch's torch.save or torch.jit.save";

/// As many bytes of a file's start as tell its kind.
inline constexpr std::size_t file_kind_bytes = 512;

/// Those bytes, or all there are. Throws FileError.
std::vector<std::byte> file_start(const InputFile& file);

/// The kind of a file by the first bytes of it; nothing where they are of none that is known.
std::optional<FileKind> file_kind(std::span<const std::byte> start);

/// The kind of a zip archive with these entries, or with these among others.
FileKind zip_kind(std::span<const std::string_view> entries);

/// The remedy as one types it; "" where the kind has none.
std::string remedy_of(const std::string& path, const FileKind& kind);

/// "PATH is an HTML page, expected WANTED; download it again": the text of an error. `remedy` is
/// for kinds that have none of their own, and `weights` says that weights are wanted of the file.
std::string wrong_kind(const std::string& path, const FileKind& kind, std::string_view wanted,
                       std::string_view remedy, bool weights = false);

}  // namespace unroll
