// A zip archive in memory. Nothing here touches a file, whatever the names in the archive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/zip_reader.h"

namespace unroll::data {

/// What an archive is read for.
struct ZipUse {
  std::string_view operation;  ///< for errors
  /// All entries that are read may have so many times the bytes of the file, and 1 MiB.
  std::uint64_t growth = 1;
  std::string_view remedy;  ///< for an archive above the limits
};

/// The most bytes that may be decoded from a file of this size.
constexpr std::uint64_t most_decoded(std::uint64_t file_size, const ZipUse& use) {
  return use.growth * file_size + (std::uint64_t{1} << 20);
}

/// Whether a file that starts with these bytes is a zip archive.
bool is_zip(std::span<const std::byte> start);

class ZipArchive {
 public:
  /// Opens the bytes of a file, which must outlive this. `name` stands for the path in errors.
  /// Throws FormatError.
  ZipArchive(std::span<const std::byte> bytes, std::string name, const ZipUse& use);

  bool has(std::string_view entry) const { return entries_.contains(entry); }
  std::vector<std::string_view> names() const;
  /// The only entry whose name ends like this; empty if there is none, or more than one.
  std::string_view only_entry_ending_in(std::string_view end) const;

  /// Decodes a whole entry and checks its CRC-32. Throws FormatError if the entry is missing,
  /// encrypted, damaged, or longer than `limit`, or if all entries read so far would exceed
  /// most_decoded().
  std::vector<std::byte> read(std::string_view entry, std::uint64_t limit);

 private:
  struct Entry {
    std::uint64_t index = 0, size = 0;
  };

  [[noreturn]] void fail(std::string_view what) const;
  [[noreturn]] void above_limit(std::string_view what) const;

  std::string name_;
  ZipUse use_;
  std::uint64_t left_;               // bytes that may still be decoded
  std::optional<ZipReader> reader_;  // made once the limits were checked
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace unroll::data
