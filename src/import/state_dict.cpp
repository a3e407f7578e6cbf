#include "import/state_dict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "core/file.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 34;

enum class Format { safetensors, zip, old_pickle };

/// A zip archive begins with "PK"; a pickle with its protocol, and a tar archive of long ago with a
/// name. A safetensors file begins with a length below 100 MB, whose upper bytes are 0.
Format format_of(std::span<const std::byte> start) {
  const auto is = [&](std::size_t i, int value) {
    return start.size() > i && start[i] == static_cast<std::byte>(value);
  };
  if (is(0, 'P') && is(1, 'K')) return Format::zip;
  if (is(0, 0x80) && !(is(6, 0) && is(7, 0))) return Format::old_pickle;
  return Format::safetensors;
}

}  // namespace

StateDict read_state_dict(const std::string& path, const std::string& key) {
  std::array<std::byte, 8> start{};
  Format format{};
  {
    const InputFile file("import", path);
    const auto bytes = std::span(start).first(std::min<std::uint64_t>(start.size(), file.size()));
    file.read_at(0, bytes);
    format = format_of(bytes);
  }
  switch (format) {
    case Format::zip:
      try {
        return parse_pt(read_file("import", path, kLargestFile), path, key);
      } catch (const std::bad_alloc&) {
        throw FileError("import", fmt::format("{}: it does not fit into memory", path));
      }
    case Format::old_pickle:
      throw FormatError("import",
                        fmt::format("{}: written by torch.save of before PyTorch 1.6, or with "
                                    "_use_new_zipfile_serialization=False; load and save it again: "
                                    "torch.save(torch.load(\"old.pt\", map_location=\"cpu\"), "
                                    "\"new.pt\")",
                                    path));
    case Format::safetensors:
      break;
  }
  if (!key.empty())
    throw FormatError("import", fmt::format("{}: --key is for a .pt, which may hold several "
                                            "dictionaries",
                                            path));
  StateDict state;
  state.name = path;
  state.file = io::Safetensors::read(path);
  state.arrays = state.file->arrays();
  return state;
}

}  // namespace unroll::importer
