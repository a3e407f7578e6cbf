// The published data sets: their files, licences and mirrors, and how to recognise them.
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
  /// Of the uncompressed content. Recognises files that somebody compressed again. Empty if it is
  /// not known.
  std::string content_sha256;
};

struct KnownSet {
  std::string name;                  ///< on the command line; also the folder's
  std::string torchvision;           ///< the folder's name in torchvision
  std::string title;                 ///< for people
  std::string licence;               ///< "MIT"
  std::string credit;                ///< the holders of the copyright, as the licence asks
  std::vector<std::string> mirrors;  ///< folders, each ending in '/', in the order to try them
  std::int64_t train, test;          ///< images of each part
  std::int64_t rows, columns;
  std::int64_t classes;
  std::array<KnownFile, 4> files;
};

const std::vector<KnownSet>& catalogue();

/// Their names: mnist, ...
std::vector<std::string_view> known_set_names();

/// Bytes of all four files as published.
std::uint64_t download_size(const KnownSet& set);

const KnownSet* find_known_set(std::string_view name);  ///< nullptr if there is none
const KnownSet& known_set(std::string_view name);       ///< throws ValueError listing the names

/// "train-images-idx3-ubyte", ...
std::string file_name(Split split, Part part);

/// Whether the file at `path`, whose uncompressed content has the given SHA-256, is the known file.
/// Without a known hash of the content it compares the .gz as published.
bool is_as_published(const KnownFile& known, const std::string& path,
                     std::string_view content_sha256);

/// The known file with the same content; null if there is none.
struct Identity {
  const KnownSet* set = nullptr;
  const KnownFile* file = nullptr;
};
Identity identify(const std::string& path, std::string_view content_sha256);

}  // namespace unroll::data
