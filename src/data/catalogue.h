// The published sets: what their files are, where they are published, and how to recognise them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/idx.h"
#include "unroll/data/dataset.h"

namespace unroll::data {

/// One published file. Mirrors serve it as `name` + ".gz".
struct KnownFile {
  Split split;
  Part part;
  std::string name;    ///< without .gz
  std::uint64_t size;  ///< of the .gz as published, in bytes
  std::string sha256;  ///< of the .gz as published
  /// Uncompressed; it alone holds for files that others compressed. Empty where it is not
  /// published.
  std::string content_sha256;
};

struct KnownSet {
  std::string name;                  ///< also the folder's
  std::string title;                 ///< for people
  std::string licence;               ///< and whom to attribute
  std::vector<std::string> mirrors;  ///< folders, each ending in '/', in the order to try them
  std::int64_t rows, columns;
  std::array<KnownFile, 4> files;
};

const std::vector<KnownSet>& catalogue();

const KnownSet* find_known_set(std::string_view name);  ///< nullptr where there is none
const KnownSet& known_set(std::string_view name);       ///< throws ValueError listing the names

/// "train-images-idx3-ubyte", ...
std::string file_name(Split split, Part part);

/// Whether the file at `path`, whose uncompressed content has the given SHA-256, is the known one:
/// by the content, or where the hash of that is not published, by being the .gz as published.
bool is_as_published(const KnownFile& known, const std::string& path,
                     std::string_view content_sha256);

/// What such a file is; nulls where it is nothing known.
struct Identity {
  const KnownSet* set = nullptr;
  const KnownFile* file = nullptr;
};
Identity identify(const std::string& path, std::string_view content_sha256);

}  // namespace unroll::data
