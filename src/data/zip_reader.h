// Decodes a zip archive in memory. zip_reader.cpp does it by libzip, and the Python package by
// Python's zipfile (python/src/zip_reader.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace unroll::data {

/// What is wrong with an archive, in the words of the library that reads it.
class ZipFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ZipReader {
 public:
  struct Entry {
    std::string name;
    std::uint64_t size = 0;  ///< decoded, as the archive states it
  };

  /// Opens an archive, whose bytes must outlive this. Throws ZipFault if it can't be read.
  explicit ZipReader(std::span<const std::byte> bytes);
  ~ZipReader();
  ZipReader(ZipReader&&) noexcept;
  ZipReader& operator=(ZipReader&&) noexcept;

  std::uint64_t count() const;
  /// Throws ZipFault if it can't be read.
  Entry entry(std::uint64_t index) const;
  /// Decodes a whole entry, of `size` bytes, and checks its CRC-32. Throws ZipFault.
  std::vector<std::byte> read(std::uint64_t index, std::uint64_t size) const;

 private:
  struct Open;
  std::unique_ptr<Open> open_;
};

}  // namespace unroll::data
