#include "data/content_reader.h"

#define ZLIB_CONST  // lets next_in point to const bytes
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "data/gzip.h"
#include "unroll/core/error.h"

namespace unroll::data {

struct ContentReader::Inflater {
  static constexpr std::size_t kBlock = std::size_t{1} << 18;

  Inflater() : block(kBlock) {
    constexpr int kOnlyGzip = 16;
    if (inflateInit2(&stream, MAX_WBITS + kOnlyGzip) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream stream{};
  std::vector<char> block;  // compressed
  bool ended = false;
};

ContentReader::ContentReader(const std::string& path) : path_(path) {
  file_.emplace("data", path);
  size_ = file_->size();
  std::byte magic[2] = {};
  if (size_ >= sizeof magic) file_->read_at(0, magic);
  if (!is_gzip(magic) || decode_whole()) return;
  inflater_ = std::make_unique<Inflater>();
}

/// Decodes a gzip file that is not large as a whole. False if it is large, or damaged: then the
/// usual way says how.
bool ContentReader::decode_whole() {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 28;
  std::byte length[4] = {};
  if (size_ < sizeof length || size_ > kMost) return false;
  file_->read_at(size_ - sizeof length, length);
  const std::uint64_t promised = gzip_length(length);
  if (promised > kMost) return false;
  std::vector<std::byte> compressed(size_);
  file_->read_at(0, compressed);
  try {
    decoded_ = gunzip(path_, compressed, promised);
  } catch (const FormatError&) {
    return false;  // the length may be one of more than 32 bits
  }
  file_.reset();
  text_ = {reinterpret_cast<const char*>(decoded_.data()), decoded_.size()};
  size_ = text_.size();
  return true;
}

ContentReader::ContentReader(std::string_view content, std::string path)
    : path_(std::move(path)), text_(content), size_(content.size()) {}

ContentReader::~ContentReader() = default;

std::optional<std::uint64_t> ContentReader::size() const {
  if (inflater_) return std::nullopt;
  return size_;
}

void ContentReader::rewind() {
  position_ = 0;
  if (!inflater_) return;
  inflateReset(&inflater_->stream);
  inflater_->stream.avail_in = 0;
  inflater_->ended = false;
}

std::size_t ContentReader::read(std::span<char> out) {
  return inflater_ ? inflate(out) : read_stored(out);
}

std::size_t ContentReader::read_stored(std::span<char> out) {
  out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - position_)));
  if (file_)
    file_->read_at(position_, std::as_writable_bytes(out));
  else if (!out.empty())
    std::memcpy(out.data(), text_.data() + position_, out.size());
  position_ += out.size();
  return out.size();
}

std::size_t ContentReader::inflate(std::span<char> out) {
  z_stream& stream = inflater_->stream;
  std::size_t done = 0;
  while (done < out.size() && !inflater_->ended) {
    if (stream.avail_in == 0) {
      const std::size_t n = read_stored(inflater_->block);
      if (n == 0) refuse_damaged_gzip(path_);
      stream.next_in = reinterpret_cast<const Bytef*>(inflater_->block.data());
      stream.avail_in = static_cast<uInt>(n);
    }
    constexpr std::size_t kMost = std::size_t{1} << 30;  // zlib counts with 32 bits
    const std::size_t most = std::min(out.size() - done, kMost);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    stream.avail_out = static_cast<uInt>(most);
    const int result = ::inflate(&stream, Z_NO_FLUSH);
    done += most - stream.avail_out;
    if (result == Z_STREAM_END) {
      inflater_->ended = true;
      check_end();
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      refuse_damaged_gzip(path_);
    }
  }
  return done;
}

void ContentReader::check_end() const {
  const z_stream& stream = inflater_->stream;
  const std::uint64_t rest = stream.avail_in + (size_ - position_);
  if (rest == 0) return;
  std::byte next[2] = {};
  if (rest >= sizeof next) file_->read_at(size_ - rest, next);
  refuse_after_gzip(path_, is_gzip(next), rest);
}

}  // namespace unroll::data
