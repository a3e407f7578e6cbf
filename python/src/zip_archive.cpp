// data/zip_archive.h by Python's zipfile: the program uses libzip, whose libraries (TLS among them)
// a wheel would have to bring.
#include "data/zip_archive.h"

#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstring>

#include "core/printable.h"
#include "unroll/core/error.h"

namespace nb = nanobind;

/// An open zipfile.ZipFile, and its list of entries.
struct zip {
  nb::object file, entries;
};

namespace unroll::data {

void ZipArchive::Discard::operator()(zip* archive) const {
  const nb::gil_scoped_acquire locked;
  delete archive;
}

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
  const nb::gil_scoped_acquire locked;
  try {
    const nb::object stream =
        nb::module_::import_("io").attr("BytesIO")(nb::bytes(bytes.data(), bytes.size()));
    archive_.reset(new zip{nb::module_::import_("zipfile").attr("ZipFile")(stream), {}});
    archive_->entries = archive_->file.attr("infolist")();
    std::uint64_t index = 0;
    for (const nb::handle entry : archive_->entries) {
      auto entry_name = nb::cast<std::string>(entry.attr("filename"));
      const auto size = nb::cast<std::uint64_t>(entry.attr("file_size"));
      if (!entries_.emplace(entry_name, Entry{index++, size}).second)
        fail(fmt::format("two entries are called {}", in_quotes(entry_name)));
    }
  } catch (nb::python_error& error) {
    fail(fmt::format("the zip archive can't be read: {}",
                     nb::str(nb::handle(error.value())).c_str()));
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
  const nb::gil_scoped_acquire locked;
  try {
    // One byte more than the entry says: an entry that decodes to more ends there, whatever its
    // size.
    const nb::object stream = archive_->file.attr("open")(archive_->entries[entry.index]);
    const nb::bytes content(stream.attr("read")(entry.size + 1));
    if (content.size() != entry.size)
      fail(fmt::format("{} has not the {} bytes that the archive states", shown, entry.size));
    std::vector<std::byte> bytes(content.size());
    if (!bytes.empty()) std::memcpy(bytes.data(), content.data(), bytes.size());
    return bytes;
  } catch (nb::python_error& error) {
    fail(fmt::format("{}: {}", shown, nb::str(nb::handle(error.value())).c_str()));
  }
}

}  // namespace unroll::data
