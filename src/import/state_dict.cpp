#include "import/state_dict.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <new>

#include "core/file.h"
#include "core/file_kind.h"
#include "data/zip_archive.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 34;

enum class Format { safetensors, pt };

/// Judges by the first bytes. Throws FormatError for another kind of file, and names the kind.
Format format_of(const std::string& path) {
  const InputFile file("import", path);
  const std::vector<std::byte> bytes = file_start(file);
  const auto kind = file_kind(bytes);
  if (data::is_zip(bytes) || (kind && kind->what == pt_sequence_kind)) return Format::pt;
  if (kind && kind->what != safetensors_kind)
    throw FormatError(
        "import",
        wrong_kind(path, *kind, "a .pt of torch.save or a .safetensors",
                   "save the weights: torch.save(model.state_dict(), \"weights.pt\")", true));
  return Format::safetensors;  // if it is no known kind, the reader of safetensors says so
}

}  // namespace

bool is_ignored(const std::string& name, std::span<const std::string> patterns) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

StateDict read_state_dict(const std::string& path, const std::string& key,
                          std::span<const std::string> ignore) {
  if (format_of(path) == Format::pt) {
    try {
      return parse_pt(read_file("import", path, kLargestFile), path, key, ignore);
    } catch (const std::bad_alloc&) {
      throw FileError("import", fmt::format("{}: it does not fit into memory", path));
    }
  }
  if (!key.empty())
    throw FormatError("import", fmt::format("{}: --key is only for a .pt, which may hold several "
                                            "dictionaries; leave it out",
                                            path));
  StateDict state;
  state.name = path;
  state.file = io::Safetensors::read(path);
  for (const io::ArrayView& array : state.file->arrays())
    if (is_ignored(array.name, ignore))
      state.ignored.push_back(array.name);
    else
      state.arrays.push_back(array);
  return state;
}

}  // namespace unroll::importer
