#include "export/npz.h"

#include <fmt/format.h>
#include <zip.h>

#include <memory>
#include <new>

#include "core/printable.h"
#include "io/npy_start.h"
#include "io/safetensors_header.h"
#include "unroll/core/error.h"

namespace unroll::exporter {
namespace {

[[noreturn]] void fail(zip_error_t* error) {
  throw FileError("export", fmt::format("can't make the archive: {}", zip_error_strerror(error)));
}

/// A zip archive in memory. Entries are stored without compression, as numpy.savez does.
class Archive {
 public:
  Archive() {
    zip_error_t error;
    zip_error_init(&error);
    source_ = zip_source_buffer_create(nullptr, 0, 0, &error);
    if (source_) archive_ = zip_open_from_source(source_, ZIP_TRUNCATE, &error);
    if (!archive_) {
      zip_source_free(source_);
      fail(&error);
    }
    zip_source_keep(source_);  // zip_close would free it
  }
  ~Archive() {
    if (archive_) zip_discard(archive_);
    zip_source_free(source_);
  }
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  /// The bytes must live until finish().
  void add(const std::string& name, std::span<const std::byte> bytes) {
    zip_source_t* const entry = zip_source_buffer(archive_, bytes.data(), bytes.size(), 0);
    const zip_int64_t index =
        entry ? zip_file_add(archive_, name.c_str(), entry, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) {
      zip_source_free(entry);
      fail(zip_get_error(archive_));
    }
    // A fixed date, so that the same model gives the same bytes: the first day of the format.
    constexpr zip_uint16_t kTime = 0, kDate = (1 << 5) | 1;
    const auto at = static_cast<zip_uint64_t>(index);
    if (zip_set_file_compression(archive_, at, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive_, at, kTime, kDate, 0) != 0)
      fail(zip_get_error(archive_));
  }

  std::vector<std::byte> finish() {
    if (zip_close(archive_) != 0) fail(zip_get_error(archive_));
    archive_ = nullptr;
    zip_stat_t status;
    if (zip_source_stat(source_, &status) != 0 || zip_source_open(source_) != 0)
      fail(zip_source_error(source_));
    std::vector<std::byte> bytes(status.size);
    const zip_int64_t read = zip_source_read(source_, bytes.data(), bytes.size());
    if (read < 0 || static_cast<zip_uint64_t>(read) != bytes.size())
      fail(zip_source_error(source_));
    zip_source_close(source_);
    return bytes;
  }

 private:
  zip_source_t* source_ = nullptr;
  zip_t* archive_ = nullptr;
};

/// Refuses names with a slash: unpacking would put the file into another folder.
void check_name(const std::string& name) {
  if (name.find_first_of("/\\") != std::string::npos)
    throw ValueError("export", fmt::format("the weight {} can't be a file of an .npz archive: its "
                                           "name has a slash",
                                           in_quotes(name)));
}

template <class T>
void append_values(const io::ArrayView& array, std::vector<std::byte>& file) {
  const auto values = io::floats_of<T>(array);
  const auto bytes = std::as_bytes(std::span(values));
  file.insert(file.end(), bytes.begin(), bytes.end());
}

std::vector<std::byte> npy_of(const io::ArrayView& array) {
  const bool wide = array.type == io::ElementType::f64;
  const std::string start =
      io::npy_start(array.name, array.shape, wide ? io::ElementType::f64 : io::ElementType::f32);
  const auto head = std::as_bytes(std::span(start));
  std::vector<std::byte> file(head.begin(), head.end());
  wide ? append_values<double>(array, file) : append_values<float>(array, file);
  return file;
}

}  // namespace

std::vector<std::byte> npz(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights) {
  const std::string description = spec::to_json(spec);
  std::vector<std::vector<std::byte>> files;  // outlive the archive
  files.reserve(weights.size());
  Archive archive;
  for (const io::ArrayView& array : weights) {
    check_name(array.name);
    files.push_back(npy_of(array));
    archive.add(array.name + ".npy", files.back());
  }
  archive.add("description.json", std::as_bytes(std::span(description)));
  return archive.finish();
}

}  // namespace unroll::exporter
