#include "run/tfrecord.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <span>

namespace unroll::run {
namespace {

static_assert(std::endian::native == std::endian::little, "only little-endian files are written");

/// A CRC-32C of several pieces.
class Crc32c {
 public:
  void add(std::span<const std::byte> bytes) {
    constexpr std::size_t kMost = 1 << 30;  // the function takes an int
    for (; !bytes.empty(); bytes = bytes.subspan(std::min(bytes.size(), kMost))) {
      const auto piece = bytes.first(std::min(bytes.size(), kMost));
      // It does not write to the buffer.
      auto* const data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(piece.data()));
      state_ = ::crc32_iscsi(data, static_cast<int>(piece.size()), state_);
    }
  }
  /// TFRecord's mask, for data that contains checksums itself.
  std::uint32_t masked() const { return std::rotr(~state_, 15) + 0xa282ead8U; }

 private:
  std::uint32_t state_ = ~0U;
};

std::uint32_t checksum_of(std::span<const std::byte> bytes) {
  Crc32c crc;
  crc.add(bytes);
  return crc.masked();
}

template <class T>
void append(std::string& to, T number) {
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

template <class T>
T read_number(std::span<const std::byte> bytes, std::size_t at) {
  T number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

constexpr std::size_t kLength = 8, kChecksum = 4;

}  // namespace

std::string tfrecord(std::string_view data) {
  std::string record;
  record.reserve(data.size() + kLength + 2 * kChecksum);
  append<std::uint64_t>(record, data.size());
  append(record, checksum_of(std::as_bytes(std::span(record))));
  record += data;
  append(record, checksum_of(std::as_bytes(std::span(data))));
  return record;
}

std::optional<std::uint64_t> size_of_records(const InputFile& file, std::uint64_t count) {
  std::array<std::byte, 1 << 16> buffer;
  std::uint64_t at = 0;
  for (; count > 0; --count) {
    const auto start = std::span(buffer).first(kLength + kChecksum);
    if (file.size() - at < start.size() + kChecksum) return std::nullopt;
    file.read_at(at, start);
    at += start.size();
    auto left = read_number<std::uint64_t>(start, 0);
    if (checksum_of(start.first(kLength)) != read_number<std::uint32_t>(start, kLength) ||
        left > file.size() - at - kChecksum)
      return std::nullopt;
    Crc32c crc;
    while (left > 0) {
      const auto piece = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), left));
      file.read_at(at, piece);
      crc.add(piece);
      at += piece.size();
      left -= piece.size();
    }
    const auto end = std::span(buffer).first(kChecksum);
    file.read_at(at, end);
    if (crc.masked() != read_number<std::uint32_t>(end, 0)) return std::nullopt;
    at += kChecksum;
  }
  return at;
}

}  // namespace unroll::run
