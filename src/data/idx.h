// Reads idx files, the format of MNIST: a magic number, big-endian 32-bit sizes, the values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unroll/data/dataset.h"

namespace unroll::data {

/// The content of an idx file whose elements are bytes.
struct Idx {
  std::vector<std::int64_t> shape;
  std::string sha256;                ///< hash of the uncompressed file with its header
  std::vector<std::uint8_t> values;  ///< their number is the product of the shape
};

/// Images have shape (N, rows, columns), labels (N).
enum class Part { images, labels };

/// Reads one file, gzip or not: the content decides, never the name. Checks every size against the
/// file's length and a limit of 2 GiB before it allocates memory.
///
/// Throws FileError if the file can't be read, FormatError if it is damaged or no such file, and
/// ShapeError for a size of 0. Source: https://en.wikipedia.org/wiki/MNIST_database, as published
/// by LeCun et al.
Idx read_idx(const std::string& path, Part part);

/// Reads one image: `shape` is the whole file's, `values` are (rows, columns), `sha256` is empty.
/// Without gzip it reads only that image. A gzip file is decoded up to the image if that is in the
/// first third, else whole. Up to the image, the length at the file's end is checked but not the
/// CRC-32: damage that can still be decoded gives other pixels.
///
/// Throws the errors of read_idx(), and ValueError for an index that the file doesn't have.
Idx read_idx_image(const std::string& path, std::int64_t index);

/// Reads only the shape. Throws the errors of read_idx() for a wrong header.
std::vector<std::int64_t> read_idx_shape(const std::string& path, Part part);

/// "60000x28x28"
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace unroll::data
