// Idx files, the format of MNIST: a magic number, a shape of big-endian 32-bit sizes, the values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unroll/data/dataset.h"

namespace unroll::data {

/// What an idx file of bytes holds.
struct Idx {
  std::vector<std::int64_t> shape;
  std::string sha256;                ///< of the uncompressed file, header included
  std::vector<std::uint8_t> values;  ///< as many as the shape's product
};

/// Which of a set's files: images of shape (N, rows, columns) or labels of shape (N).
enum class Part { images, labels };

/// Reads one file, gzip or not: the content decides, never the name. Every size is checked against
/// the file's length, and against a limit of 2 GiB, before memory is asked for.
///
/// Throws FileError (can't be read), FormatError (not such a file, or damaged), ShapeError (a size
/// of 0). Source: https://en.wikipedia.org/wiki/MNIST_database, as published by LeCun et al.
Idx read_idx(const std::string& path, Part part);

/// One image of a file of images: `shape` is the file's, `values` are (rows, columns), `sha256` is
/// empty. Of a file that isn't gzip only the image is read. One that is gets decoded whole for an
/// image behind its first third, else only up to the image: then the length that the file ends with
/// is checked but the CRC-32 is not, and damage that can still be decoded shows only in the pixels.
///
/// Throws what read_idx throws, and ValueError for an index that the file doesn't have.
Idx read_idx_image(const std::string& path, std::int64_t index);

/// The shape alone; throws the same for a header that is wrong.
std::vector<std::int64_t> read_idx_shape(const std::string& path, Part part);

/// "60000x28x28"
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace unroll::data
