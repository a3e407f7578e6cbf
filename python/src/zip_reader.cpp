// data/zip_reader.h by Python's zipfile: a wheel would have to bring libzip, and the libraries that
// it needs, TLS among them.
#include "data/zip_reader.h"

#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <cstring>

#include "arrays.h"

namespace nb = nanobind;

namespace unroll::data {
namespace {

/// Runs `work` with the GIL. A Python exception becomes a ZipFault.
template <class F>
auto with_python(F&& work) {
  const nb::gil_scoped_acquire locked;
  try {
    return work();
  } catch (nb::python_error& error) {
    throw ZipFault(python::text_of(error.value()));
  }
}

}  // namespace

struct ZipReader::Open {
  nb::object file, entries;  // zipfile.ZipFile, and its list of entries

  ~Open() {
    const nb::gil_scoped_acquire locked;
    file.reset();
    entries.reset();
  }
};

ZipReader::ZipReader(std::span<const std::byte> bytes) : open_(std::make_unique<Open>()) {
  with_python([&] {
    const nb::object stream =
        nb::module_::import_("io").attr("BytesIO")(nb::bytes(bytes.data(), bytes.size()));
    open_->file = nb::module_::import_("zipfile").attr("ZipFile")(stream);
    open_->entries = open_->file.attr("infolist")();
  });
}

ZipReader::~ZipReader() = default;
ZipReader::ZipReader(ZipReader&&) noexcept = default;
ZipReader& ZipReader::operator=(ZipReader&&) noexcept = default;

std::uint64_t ZipReader::count() const {
  return with_python([&] { return nb::len(open_->entries); });
}

ZipReader::Entry ZipReader::entry(std::uint64_t index) const {
  return with_python([&]() -> Entry {
    const nb::object entry = open_->entries[index];
    return {nb::cast<std::string>(entry.attr("filename")),
            nb::cast<std::uint64_t>(entry.attr("file_size"))};
  });
}

std::vector<std::byte> ZipReader::read(std::uint64_t index, std::uint64_t size) const {
  return with_python([&] {
    const nb::object stream = open_->file.attr("open")(open_->entries[index]);
    // One byte more: only a read past the end compares the CRC-32.
    const nb::bytes content(stream.attr("read")(size + 1));
    if (content.size() != size)
      throw ZipFault(
          fmt::format("it has {} bytes, not the {} that the archive states", content.size(), size));
    std::vector<std::byte> bytes(size);
    if (size > 0) std::memcpy(bytes.data(), content.data(), size);
    return bytes;
  });
}

}  // namespace unroll::data
