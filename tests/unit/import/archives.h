// Zip archives and pickles for the tests of import: written by PyTorch, or made here.
#pragma once

#include <zip.h>

#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/program.h"

namespace unroll::importer {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(std::string_view text) {
  Bytes bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

/// A file that make_files.py wrote with PyTorch.
inline std::string path_of(const std::string& name) {
  return std::string(UNROLL_SOURCE_DIR) + "/tests/unit/import/files/" + name;
}

inline Bytes torch_file(const std::string& name) {
  return bytes_of(test::content_of(path_of(name)));
}

using Entries = std::vector<std::pair<std::string, std::string>>;

/// A zip archive of these entries, compressed or not.
inline Bytes zip_of(const Entries& entries, bool compressed = false) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const whole = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_source_keep(whole);
  zip_t* const archive = zip_open_from_source(whole, ZIP_TRUNCATE, &error);
  for (const auto& [name, content] : entries) {
    zip_source_t* const source = zip_source_buffer(archive, content.data(), content.size(), 0);
    const zip_int64_t at = zip_file_add(archive, name.c_str(), source, 0);
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(at),
                             compressed ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
  }
  if (zip_close(archive) != 0) throw std::runtime_error("no archive was made");
  zip_source_open(whole);
  zip_source_seek(whole, 0, SEEK_END);
  Bytes bytes(static_cast<std::size_t>(zip_source_tell(whole)));
  zip_source_seek(whole, 0, SEEK_SET);
  zip_source_read(whole, bytes.data(), bytes.size());
  zip_source_close(whole);
  zip_source_free(whole);
  return bytes;
}

}  // namespace unroll::importer
