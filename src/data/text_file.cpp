#include "data/text_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "core/file.h"
#include "core/machine_memory.h"
#include "data/content_reader.h"
#include "data/sha256.h"
#include "unroll/core/error.h"

namespace unroll::data {

std::string read_content(const std::string& path, std::size_t most) {
  constexpr std::size_t kBlock = 1 << 14;
  ContentReader reader(path);
  std::string content;
  std::size_t size = 0;
  do {
    // Doubled, so that a long file is copied a few times only. A small file may have a long text.
    if (2 * size > machine_memory() / 2)
      throw FormatError("data", fmt::format("{} has more than {:.0f} GB of text, too much for the "
                                            "{:.0f} GB of this machine; split the file",
                                            path, static_cast<double>(size) / 1e9,
                                            static_cast<double>(machine_memory()) / 1e9));
    content.resize(std::min(most, std::max(kBlock, 2 * size)));
    size += reader.read(std::span(content).subspan(size));
  } while (size == content.size() && size < most);
  content.resize(size);
  return content;
}

RecordedFile recorded_file(const std::string& path, const std::string& role) {
  const InputFile file("data", path);
  Sha256 hash;
  std::vector<std::byte> piece(std::min(file.size(), std::uint64_t{1} << 20));
  for (std::uint64_t at = 0; at < file.size(); at += piece.size()) {
    const std::uint64_t left = file.size() - at;
    if (left < piece.size()) piece.resize(left);
    file.read_at(at, piece);
    hash.add(piece);
  }
  return {.role = role, .path = path, .bytes = file.size(), .sha256 = hash.digits()};
}

}  // namespace unroll::data
