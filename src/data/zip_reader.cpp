#include "data/zip_reader.h"

#include <fmt/format.h>
#include <zip.h>

namespace unroll::data {
namespace {

struct CloseEntry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

[[noreturn]] void fault_of(zip_error_t& error) {
  const std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  throw ZipFault(text);
}

}  // namespace

struct ZipReader::Open {
  zip_t* archive = nullptr;
  ~Open() {
    if (archive) zip_discard(archive);
  }
};

ZipReader::ZipReader(std::span<const std::byte> bytes) : open_(std::make_unique<Open>()) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (!source) fault_of(error);
  open_->archive = zip_open_from_source(source, ZIP_RDONLY, &error);
  if (!open_->archive) {
    zip_source_free(source);
    fault_of(error);
  }
  zip_error_fini(&error);
}

ZipReader::~ZipReader() = default;
ZipReader::ZipReader(ZipReader&&) noexcept = default;
ZipReader& ZipReader::operator=(ZipReader&&) noexcept = default;

std::uint64_t ZipReader::count() const {
  return static_cast<std::uint64_t>(zip_get_num_entries(open_->archive, 0));
}

ZipReader::Entry ZipReader::entry(std::uint64_t index) const {
  zip_stat_t stat;
  zip_stat_init(&stat);
  constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE;
  if (zip_stat_index(open_->archive, index, ZIP_FL_ENC_RAW, &stat) != 0 ||
      (stat.valid & kNeeded) != kNeeded)
    throw ZipFault(fmt::format("entry {} can't be read", index));
  return {stat.name, stat.size};
}

std::vector<std::byte> ZipReader::read(std::uint64_t index, std::uint64_t size) const {
  const std::unique_ptr<zip_file_t, CloseEntry> file(zip_fopen_index(open_->archive, index, 0));
  if (!file) throw ZipFault(zip_strerror(open_->archive));
  std::vector<std::byte> bytes(size);
  std::uint64_t position = 0;
  while (position < size) {
    const std::int64_t got = zip_fread(file.get(), bytes.data() + position, size - position);
    if (got <= 0) throw ZipFault(zip_file_strerror(file.get()));
    position += static_cast<std::uint64_t>(got);
  }
  // Only a read past the end compares the CRC-32.
  std::byte past;
  if (zip_fread(file.get(), &past, 1) != 0) throw ZipFault(zip_file_strerror(file.get()));
  return bytes;
}

}  // namespace unroll::data
