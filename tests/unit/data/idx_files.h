// Hand-made idx and gzip files, good and bad.
#pragma once

#include <gtest/gtest.h>
#include <libdeflate.h>

#include <cstdint>
#include <initializer_list>
#include <string>

#include "support/expect_error.h"
#include "support/temporary_folder.h"

namespace unroll::test {

inline std::string idx_header(std::initializer_list<std::uint32_t> shape, char type = 8) {
  std::string bytes{'\0', '\0', type, static_cast<char>(shape.size())};
  for (const std::uint32_t size : shape)
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(size >> shift & 255);
  return bytes;
}

/// Images whose pixel i of all is i mod 251.
inline std::string idx_images(std::uint32_t count, std::uint32_t rows = 28,
                              std::uint32_t columns = 28) {
  std::string bytes = idx_header({count, rows, columns});
  for (std::uint32_t i = 0; i < count * rows * columns; ++i) bytes += static_cast<char>(i % 251);
  return bytes;
}

/// Labels 0, 1, ..., 9, 0, ...
inline std::string idx_labels(std::uint32_t count) {
  std::string bytes = idx_header({count});
  for (std::uint32_t i = 0; i < count; ++i) bytes += static_cast<char>(i % 10);
  return bytes;
}

/// Level 0 stores without compressing, 12 is the best.
inline std::string gzipped(const std::string& content, int level = 6) {
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(level);
  std::string bytes(libdeflate_gzip_compress_bound(compressor, content.size()), '\0');
  bytes.resize(libdeflate_gzip_compress(compressor, content.data(), content.size(), bytes.data(),
                                        bytes.size()));
  libdeflate_free_compressor(compressor);
  return bytes;
}

constexpr const char* train_images = "train-images-idx3-ubyte";
constexpr const char* train_labels = "train-labels-idx1-ubyte";
constexpr const char* test_images = "t10k-images-idx3-ubyte";
constexpr const char* test_labels = "t10k-labels-idx1-ubyte";

/// The four files of a small sound set below `folder`/`name`; returns that path.
inline std::string write_set(const TemporaryFolder& folder, const std::string& name,
                             std::uint32_t train = 30, std::uint32_t test = 10) {
  folder.write(name + "/" + train_images, idx_images(train));
  folder.write(name + "/" + train_labels, idx_labels(train));
  folder.write(name + "/" + test_images, idx_images(test));
  folder.write(name + "/" + test_labels, idx_labels(test));
  return folder / name;
}

/// One line that holds all the parts.
inline void expect_line(const std::string& text, std::initializer_list<std::string> parts) {
  EXPECT_EQ(text.find('\n'), text.npos) << text;
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), text.npos) << part << " in\n" << text;
}

}  // namespace unroll::test
