// Data sets of labelled images in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace unroll::data {

enum class Split { train, test, validation };

/// Labelled grey images, as in idx files.
struct Dataset {
  std::string name;           ///< "mnist", "fashion-mnist", "kmnist", or the folder's name
  std::string place;          ///< the folder it was read from
  std::string images_sha256;  ///< of the uncompressed idx content, hexadecimal
  std::string labels_sha256;
  bool published = false;  ///< both files have the published content
  std::int64_t count = 0, rows = 0, columns = 0;
  int classes = 10;
  std::vector<std::uint8_t> images;  ///< (count, rows, columns): 0 is background, 255 full ink
  std::vector<std::uint8_t> labels;  ///< (count), each below `classes`

  const std::uint8_t* image(std::int64_t index) const {
    return images.data() + index * rows * columns;
  }
};

}  // namespace unroll::data
