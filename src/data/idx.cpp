#include "data/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "core/file.h"
#include "core/file_kind.h"
#include "data/gzip.h"
#include "data/sha256.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

// Forty times MNIST.
constexpr std::uint64_t largest = std::uint64_t{1} << 31;

struct Header {
  std::vector<std::int64_t> shape;
  std::uint64_t bytes = 0;   // of the header itself
  std::uint64_t values = 0;  // after the header
};

// A file of which only the header was read. The rest follows once the header was checked.
struct Opened {
  InputFile file;
  std::vector<std::byte> compressed;  // the whole file if it is gzip, otherwise empty
  std::vector<std::uint8_t> start;    // the start of the uncompressed content

  explicit Opened(const std::string& path) : file("data", path) {
    constexpr std::uint64_t enough = file_kind_bytes;
    start.resize(std::min(file.size(), enough));
    file.read_at(0, std::as_writable_bytes(std::span(start)));
    if (!is_gzip(std::as_bytes(std::span(start)))) return;
    if (file.size() > largest)
      throw FormatError(
          "data",
          fmt::format(
              "{} has {} bytes, more than the {} that a data file may have; download it again",
              path, file.size(), largest));
    compressed.resize(file.size());
    file.read_at(0, compressed);
    start = gunzip_start(path, compressed, enough);
  }
};

int rank_of(Part part) { return part == Part::images ? 3 : 1; }

const char* name_of_part(Part part) { return part == Part::images ? "images" : "labels"; }

std::size_t header_size(int rank) { return 4 + 4 * static_cast<std::size_t>(rank); }

[[noreturn]] void refuse_other_kind(const Opened& opened, Part part,
                                    const std::optional<FileKind>& kind) {
  const std::string& path = opened.file.path();
  const std::string what = kind ? kind->what
                                : fmt::format("something that starts with {:02x}",
                                              fmt::join(std::span(opened.start).first(4), " "));
  std::string remedy = "download it again";
  if (kind) remedy = remedy_of(path, *kind);
  if (remedy.empty()) remedy = fmt::format("give an idx file of {}", name_of_part(part));
  throw FormatError(
      "data", fmt::format("{} is {} idx (magic 00 00 08 0{}) but {}; {}", path,
                          opened.compressed.empty() ? "not gzip and not" : "gzip, its content not",
                          rank_of(part), what, remedy));
}

Header parse(const Opened& opened, Part part) {
  const std::string& path = opened.file.path();
  const std::span<const std::uint8_t> start = opened.start;
  const int rank = rank_of(part);
  const char* wanted = name_of_part(part);
  const auto truncated = [&] {
    return FormatError("data", fmt::format("{} is truncated: {} bytes, the idx header of {} has "
                                           "{}; download it again",
                                           path, start.size(), wanted, header_size(rank)));
  };
  const auto kind = file_kind(std::as_bytes(start));
  if (!start.empty() && start[0] != 0 && kind && !kind->is_text)
    refuse_other_kind(opened, part, kind);  // another kind of file may be short, too
  if (start.size() < header_size(1)) throw truncated();
  const bool bytes_of_idx = start[0] == 0 && start[1] == 0 && start[2] == 8;
  const bool other = bytes_of_idx && start[3] == (part == Part::images ? 1 : 3);
  if (start.size() < header_size(rank) && !other) throw truncated();
  if (start[0] != 0 || start[1] != 0) refuse_other_kind(opened, part, kind);
  if (start[2] != 8)
    throw FormatError("data", fmt::format("{} is an idx file of element type {:#04x}, expected "
                                          "bytes (0x08); save it again as bytes",
                                          path, start[2]));
  if (other)
    throw FormatError(
        "data",
        fmt::format("{} looks like {} file (rank {}), expected {} (rank {}); are image and "
                    "label files swapped?",
                    path, part == Part::images ? "a labels" : "an images", start[3], wanted, rank));
  if (start[3] != rank)
    throw FormatError("data",
                      fmt::format("{} is an idx file of rank {}, expected {} of rank {}; is "
                                  "it the right file?",
                                  path, start[3], wanted, rank));
  Header header;
  header.bytes = header_size(rank);
  header.values = 1;
  bool overflow = false;
  for (std::size_t at = 4; at < header.bytes; at += 4) {
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size << 8 | start[at + i];
    header.shape.push_back(static_cast<std::int64_t>(size));
    overflow |= size != 0 && header.values > UINT64_MAX / size;
    header.values *= size;
  }
  if (std::ranges::find(header.shape, 0) != header.shape.end())
    throw ShapeError("data", fmt::format("{} has the shape {}, every size must be at least 1; "
                                         "download it again",
                                         path, shape_text(header.shape)));
  if (overflow)
    throw FormatError("data", fmt::format("{} promises {} values, a product that overflows 64 "
                                          "bits; it is damaged, download it again",
                                          path, shape_text(header.shape)));
  return header;
}

void check_values(const Opened& opened, const Header& header) {
  const std::uint64_t held = opened.file.size() - header.bytes;
  if (opened.compressed.empty() && held != header.values)
    throw FormatError(
        "data", fmt::format("{} is {}: {} values after its header, which promises "
                            "{} ({}); download it again",
                            opened.file.path(), held < header.values ? "truncated" : "too long",
                            held, shape_text(header.shape), header.values));
  if (header.values > largest - header.bytes)
    throw FormatError(
        "data", fmt::format("{} promises {} values ({}), more than the {} that a data file may "
                            "have; it is damaged, download it again",
                            opened.file.path(), shape_text(header.shape), header.values, largest));
}

/// Reads `count` bytes of the content from `first` on.
std::vector<std::uint8_t> read_part(const Opened& opened, const Header& header, std::uint64_t first,
                                    std::uint64_t count) {
  const std::string& path = opened.file.path();
  if (opened.compressed.empty()) {
    std::vector<std::uint8_t> part(count);
    opened.file.read_at(first, std::as_writable_bytes(std::span(part)));
    return part;
  }
  const std::uint64_t all = header.bytes + header.values, end = first + count;
  std::vector<std::uint8_t> content;
  // A third, because libdeflate is about three times as fast as zlib.
  if (end <= all / 3 && gzip_length(opened.compressed) == all)
    content = gunzip_start(path, opened.compressed, end);
  // This names the fault, if there is one.
  if (content.size() < end) content = gunzip(path, opened.compressed, all);
  const auto begin = content.begin() + static_cast<std::ptrdiff_t>(first);
  return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

Idx read_idx(const std::string& path, Part part) {
  const Opened opened(path);
  Header header = parse(opened, part);
  check_values(opened, header);
  Idx idx{.shape = std::move(header.shape), .sha256 = {}, .values = {}};
  if (opened.compressed.empty()) {
    idx.values.resize(header.bytes + header.values);
    opened.file.read_at(0, std::as_writable_bytes(std::span(idx.values)));
  } else {
    idx.values = gunzip(path, opened.compressed, header.bytes + header.values);
  }
  idx.sha256 = sha256(std::as_bytes(std::span(idx.values)));
  idx.values.erase(idx.values.begin(),
                   idx.values.begin() + static_cast<std::ptrdiff_t>(header.bytes));
  return idx;
}

Idx read_idx_image(const std::string& path, std::int64_t index) {
  const Opened opened(path);
  Header header = parse(opened, Part::images);
  check_values(opened, header);
  const std::int64_t count = header.shape[0];
  if (index < 0 || index >= count)
    throw ValueError("data",
                     fmt::format("{} has no image {}, expected 0 to {}", path, index, count - 1));
  const std::uint64_t size = header.values / static_cast<std::uint64_t>(count);
  const std::uint64_t first = header.bytes + static_cast<std::uint64_t>(index) * size;
  std::vector<std::uint8_t> values = read_part(opened, header, first, size);
  return {.shape = std::move(header.shape), .sha256 = {}, .values = std::move(values)};
}

std::vector<std::int64_t> read_idx_shape(const std::string& path, Part part) {
  return parse(Opened(path), part).shape;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("{}", fmt::join(shape, "x"));
}

}  // namespace unroll::data
