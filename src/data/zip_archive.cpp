#include "data/zip_archive.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <cstring>

#include "core/printable.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

constexpr std::uint64_t kMostEntries = 1 << 16;

/// The largest number of entries that a zip64 record in the file claims. Numbers above 65,535 need
/// such a record. It is checked first, because libzip reads all entries before it tells their
/// number. Source: APPNOTE.TXT 4.3.14 and 4.3.15.
std::uint64_t entries_of_zip64(std::span<const std::byte> bytes) {
  constexpr std::size_t kEnd = 22, kLongestComment = 0xffff, kLocator = 20, kRecord = 56;
  constexpr std::size_t kPlace = 8, kEntriesHere = 24, kEntries = 32;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto number = [&](std::size_t at) {
    std::uint64_t value = 0;
    std::memcpy(&value, text.data() + at, sizeof value);
    return value;
  };
  std::uint64_t most = 0;
  constexpr std::size_t kTail = kLocator + kEnd + kLongestComment;
  std::size_t at = text.size() - std::min(text.size(), kTail);
  while ((at = text.find("PK\6\7", at)) != text.npos && text.size() - at >= kLocator) {
    if (const std::uint64_t record = number(at + kPlace); text.size() >= kRecord &&
                                                          record <= text.size() - kRecord &&
                                                          text.substr(record).starts_with("PK\6\6"))
      most = std::max({most, number(record + kEntriesHere), number(record + kEntries)});
    ++at;
  }
  return most;
}

struct CloseEntry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

std::string text_of_error(zip_error_t& error) {
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

}  // namespace

void ZipArchive::Discard::operator()(zip* archive) const { zip_discard(archive); }

bool is_zip(std::span<const std::byte> start) {
  return start.size() > 1 && start[0] == std::byte{'P'} && start[1] == std::byte{'K'};
}

void ZipArchive::fail(std::string_view what) const {
  throw FormatError(use_.operation, fmt::format("{}: {}; the file is damaged, save or download it "
                                                "again",
                                                name_, what));
}

void ZipArchive::above_limit(std::string_view what) const {
  throw FormatError(use_.operation,
                    fmt::format("{}: {}, the limit of Unroll; {}", name_, what, use_.remedy));
}

ZipArchive::ZipArchive(std::span<const std::byte> bytes, std::string name, const ZipUse& use)
    : name_(std::move(name)), use_(use), left_(most_decoded(bytes.size(), use)) {
  const auto check_count = [&](std::uint64_t entries) {
    if (entries > kMostEntries)
      above_limit(fmt::format("it has {} entries, more than {}", entries, kMostEntries));
  };
  check_count(entries_of_zip64(bytes));
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (!source) fail(text_of_error(error));
  archive_.reset(zip_open_from_source(source, ZIP_RDONLY, &error));
  if (!archive_) {
    zip_source_free(source);
    fail("the zip archive can't be read: " + text_of_error(error));
  }
  zip_error_fini(&error);
  const auto count = static_cast<std::uint64_t>(zip_get_num_entries(archive_.get(), 0));
  check_count(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE;
    if (zip_stat_index(archive_.get(), i, ZIP_FL_ENC_RAW, &stat) != 0 ||
        (stat.valid & kNeeded) != kNeeded)
      fail(fmt::format("entry {} can't be read", i));
    if (!entries_.emplace(stat.name, Entry{i, stat.size}).second)
      fail(fmt::format("two entries are called {}", in_quotes(stat.name)));
  }
}

std::vector<std::string_view> ZipArchive::names() const {
  std::vector<std::string_view> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

std::string_view ZipArchive::only_entry_ending_in(std::string_view end) const {
  std::string_view found;
  for (const auto& [name, entry] : entries_) {
    if (!name.ends_with(end)) continue;
    if (!found.empty()) return {};
    found = name;
  }
  return found;
}

std::vector<std::byte> ZipArchive::read(std::string_view name, std::uint64_t limit) {
  const std::string shown = in_quotes(name);
  const auto found = entries_.find(name);
  if (found == entries_.end()) fail(fmt::format("there is no entry {}", shown));
  const Entry entry = found->second;
  if (entry.size > limit)
    above_limit(fmt::format("{} has {} bytes, more than {}", shown, entry.size, limit));
  if (entry.size > left_)
    above_limit(
        fmt::format("with {}, which has {} bytes, the entries read take more than {} times the "
                    "archive's size",
                    shown, entry.size, use_.growth));
  left_ -= entry.size;
  const std::unique_ptr<zip_file_t, CloseEntry> file(
      zip_fopen_index(archive_.get(), entry.index, 0));
  if (!file) fail(fmt::format("{}: {}", shown, zip_strerror(archive_.get())));
  std::vector<std::byte> bytes(entry.size);
  std::uint64_t position = 0;
  while (position < entry.size) {
    const std::int64_t got = zip_fread(file.get(), bytes.data() + position, entry.size - position);
    if (got <= 0) fail(fmt::format("{}: {}", shown, zip_file_strerror(file.get())));
    position += static_cast<std::uint64_t>(got);
  }
  // Only a read past the end compares the CRC-32.
  std::byte past;
  if (zip_fread(file.get(), &past, 1) != 0)
    fail(fmt::format("{}: {}", shown, zip_file_strerror(file.get())));
  return bytes;
}

}  // namespace unroll::data
