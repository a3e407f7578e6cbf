#include "data/gzip.h"

#include <fmt/format.h>
#include <libdeflate.h>
#define ZLIB_CONST  // lets next_in point to const bytes
#include <zlib.h>

#include <memory>
#include <new>

#include "unroll/core/error.h"

namespace unroll::data {
namespace {

// Deflate's best ratio: two codes of one bit each, a length and a distance, stand for 258 bytes.
constexpr std::uint64_t largest_ratio = 1032;

struct Decoded {
  libdeflate_result result;
  std::size_t in = 0, out = 0;  // bytes read and written; set only on success
};

Decoded decode(std::span<const std::byte> compressed, std::span<std::uint8_t> out) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)>
      decompressor(libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  if (!decompressor) throw std::bad_alloc();
  Decoded decoded{};
  decoded.result =
      libdeflate_gzip_decompress_ex(decompressor.get(), compressed.data(), compressed.size(),
                                    out.data(), out.size(), &decoded.in, &decoded.out);
  return decoded;
}

void check_can_hold(const std::string& path, std::span<const std::byte> compressed,
                    std::uint64_t size) {
  if (size / largest_ratio > compressed.size())
    throw FormatError("data",
                      fmt::format("{} promises {} bytes, more than gzip can hold in {}; it is "
                                  "truncated or damaged, download it again",
                                  path, size, compressed.size()));
}

void check_rest(const std::string& path, std::span<const std::byte> rest) {
  if (!rest.empty()) refuse_after_gzip(path, is_gzip(rest), rest.size());
}

}  // namespace

void refuse_damaged_gzip(const std::string& path) {
  throw FormatError("data", fmt::format("{} is damaged or truncated: its gzip data, checksum or "
                                        "length is wrong; download it again",
                                        path));
}

void refuse_after_gzip(const std::string& path, bool is_member, std::uint64_t rest) {
  throw FormatError("data",
                    is_member ? fmt::format("{} holds more than one gzip member; compress its "
                                            "content again, as one",
                                            path)
                              : fmt::format("{} has {} bytes of junk after its gzip data; download "
                                            "it again",
                                            path, rest));
}

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

std::uint32_t gzip_length(std::span<const std::byte> compressed) {
  if (compressed.size() < 4) return 0;
  std::uint32_t length = 0;
  for (std::size_t i = 1; i <= 4; ++i)
    length = length << 8 | std::to_integer<std::uint32_t>(compressed[compressed.size() - i]);
  return length;
}

std::vector<std::uint8_t> gunzip_start(const std::string& path,
                                       std::span<const std::byte> compressed, std::uint64_t size) {
  check_can_hold(path, compressed, size);
  std::vector<std::uint8_t> start(size);
  z_stream stream{};
  constexpr int only_gzip = 16;
  if (inflateInit2(&stream, MAX_WBITS + only_gzip) != Z_OK) throw std::bad_alloc();
  stream.next_in = reinterpret_cast<const Bytef*>(compressed.data());
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = start.data();
  stream.avail_out = static_cast<uInt>(size);
  const int result = inflate(&stream, Z_NO_FLUSH);
  inflateEnd(&stream);
  if (result == Z_STREAM_END)
    start.resize(size - stream.avail_out);
  else if (result != Z_OK || stream.avail_out != 0)
    refuse_damaged_gzip(path);
  return start;
}

std::vector<std::uint8_t> gunzip(const std::string& path, std::span<const std::byte> compressed,
                                 std::uint64_t size) {
  check_can_hold(path, compressed, size);
  std::vector<std::uint8_t> content(size);
  const Decoded decoded = decode(compressed, content);
  if (decoded.result == LIBDEFLATE_INSUFFICIENT_SPACE)
    throw FormatError("data", fmt::format("{} holds more than the {} bytes that its idx header "
                                          "promises; download it again",
                                          path, size));
  if (decoded.result != LIBDEFLATE_SUCCESS) refuse_damaged_gzip(path);
  check_rest(path, compressed.subspan(decoded.in));
  if (decoded.out != size)
    throw FormatError("data", fmt::format("{} is truncated: {} bytes of content, its idx header "
                                          "promises {}; download it again",
                                          path, decoded.out, size));
  return content;
}

}  // namespace unroll::data
