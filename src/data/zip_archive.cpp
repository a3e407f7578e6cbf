#include "data/zip_archive.h"

#include <fmt/format.h>

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

}  // namespace

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
  try {
    reader_.emplace(bytes);
  } catch (const ZipFault& fault) {
    fail(fmt::format("the zip archive can't be read: {}", fault.what()));
  }
  const std::uint64_t count = reader_->count();
  check_count(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    ZipReader::Entry entry;
    try {
      entry = reader_->entry(i);
    } catch (const ZipFault& fault) {
      fail(fault.what());
    }
    if (!entries_.emplace(entry.name, Entry{i, entry.size}).second)
      fail(fmt::format("two entries are called {}", in_quotes(entry.name)));
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
  try {
    return reader_->read(entry.index, entry.size);
  } catch (const ZipFault& fault) {
    fail(fmt::format("{}: {}", shown, fault.what()));
  }
}

}  // namespace unroll::data
