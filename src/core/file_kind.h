// The kind of a file, by its content. For errors about a file of the wrong kind.
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
  std::string what;  ///< "a Git LFS pointer, a short text in place of a file"
  /// How to get the right file from it; empty if that depends on the wanted kind.
  std::string_view remedy = {};
  /// How to get weights from it; empty if it can't hold any.
  std::string_view for_weights = {};
  bool is_text = false;  ///< JSON, or an unknown kind of text
};

/// Kinds that Unroll's readers check for.
inline constexpr std::string_view safetensors_kind = "a safetensors file",
                                  pt_sequence_kind = "a file of torch.save from before PyTorch 1.6",
                                  pt_zip_kind = "a file of PyTorch's torch.save or torch.jit.save";

/// Number of bytes at the start of a file that decide its kind.
inline constexpr std::size_t file_kind_bytes = 512;

/// Those bytes, or fewer from a shorter file. Throws FileError.
std::vector<std::byte> file_start(const InputFile& file);

/// The kind of a file, by its first bytes; nothing if the kind is unknown.
std::optional<FileKind> file_kind(std::span<const std::byte> start);

/// The kind of a zip archive that has these entries (it may have more).
FileKind zip_kind(std::span<const std::string_view> entries);

/// The remedy for this path; "" if the kind has none.
std::string remedy_of(const std::string& path, const FileKind& kind);

/// The text of an error: "PATH is an HTML page, expected WANTED; download it again". `remedy` is
/// for kinds without their own. `weights`: the file was read for its weights.
std::string wrong_kind(const std::string& path, const FileKind& kind, std::string_view wanted,
                       std::string_view remedy, bool weights = false);

}  // namespace unroll
