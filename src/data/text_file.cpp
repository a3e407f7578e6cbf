#include "data/text_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "core/file.h"
#include "data/gzip.h"
#include "data/sha256.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

/// The most that the memory of a large machine holds.
constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 40;

std::string as_text(const std::vector<std::uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

std::string read_content(const std::string& path) {
  std::string content = read_text("data", path, kLargestFile);
  if (!is_gzip(bytes_of(content))) return content;
  return as_text(gunzip(path, bytes_of(content)));
}

std::string read_content_start(const std::string& path, std::uint64_t size) {
  const InputFile file("data", path);
  std::string start(std::min(size, file.size()), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(start)));
  if (!is_gzip(bytes_of(start))) return start;
  const std::string compressed = read_text("data", path, kLargestFile);
  // Deflate shortens a text to no less than a thousandth.
  const std::uint64_t most = std::uint64_t{1000} * compressed.size();
  return as_text(gunzip_start(path, bytes_of(compressed), std::min(size, most)));
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
