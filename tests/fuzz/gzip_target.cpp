// Gzip in memory: the input as a file, and as content that is compressed first, because no fuzzer
// finds a CRC-32.
#include <algorithm>
#include <span>
#include <vector>

#include "data/gzip.h"
#include "target.h"

namespace unroll::fuzz {
namespace {

using Content = std::vector<std::uint8_t>;

bool decodes(std::span<const std::byte> file, std::uint64_t size) {
  return accepts([&] { data::gunzip("FILE", file, size); });
}

/// The whole content where the file is sound; else whatever is read of it.
Content read(std::span<const std::byte> file) {
  constexpr std::uint64_t most = 1 << 20, start_size = 64;
  const std::uint64_t size = std::min<std::uint64_t>(data::gzip_length(file), most);
  Content whole, start;
  const std::uint64_t start_end = std::clamp<std::uint64_t>(size, 1, start_size);
  const bool starts = accepts([&] { start = data::gunzip_start("FILE", file, start_end); });
  accepts([&] { data::gunzip_start("FILE", file, size + 1); });
  if (!accepts([&] { whole = data::gunzip("FILE", file, size); })) return {};

  require(data::is_gzip(file), "what is decoded is gzip");
  require(whole.size() == size, "as many bytes as were asked for");
  // A header may have a CRC of its own, which zlib checks and libdeflate does not.
  const bool header_crc = (file[3] & std::byte{2}) != std::byte{0};
  require((header_crc && !starts) ||
              (starts && std::ranges::equal(start, std::span(whole).first(start.size())) &&
               start.size() == std::min(size, start_size)),
          "the start alone is the start of the whole");
  require(!decodes(file, size + 1) && (size == 0 || !decodes(file, size - 1)),
          "another length is refused");
  return whole;
}

}  // namespace

void gzip(Bytes bytes) {
  read(std::as_bytes(bytes));

  Content file = gzip_of(bytes);
  const auto all = [&] { return std::as_bytes(std::span(file)); };
  require(std::ranges::equal(read(all()), bytes), "what was compressed comes back");
  // Somewhere that depends on the input, so that the fuzzer can choose it.
  const std::size_t place = data::gzip_length(std::as_bytes(bytes)) % file.size();
  require(!decodes(all().first(place), bytes.size()), "a truncated file is refused");
  const bool in_checksums = place >= file.size() - 8;
  file[place] ^= 0x10;
  const bool accepted = decodes(all(), bytes.size());
  require(!(in_checksums && accepted), "a wrong checksum or length is refused");
  file[place] ^= 0x10;
  file.push_back(0);
  require(!decodes(all(), bytes.size()), "a byte after the end is refused");
}

}  // namespace unroll::fuzz
