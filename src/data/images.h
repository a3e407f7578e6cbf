// Turns chosen images into numbers.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "data/source.h"
#include "unroll/data/dataset.h"
#include "unroll/tensor/tensor.h"

namespace unroll::data {

/// How each image is changed.
struct ImageFill {
  std::array<float, 256> values;          ///< pixel_values()
  std::span<const std::int64_t> order{};  ///< index of the pixel for each place; empty: unchanged
  int shift = 0;  ///< moves by up to this many pixels in x and y, by Pick::draw; the rest becomes
                  ///< background
};

/// Writes the images as (N, rows columns) into `to`, a tensor of f32 or f64.
void fill_images(const Dataset& set, std::span<const Pick> picks, const ImageFill& fill,
                 const Tensor& to);

/// The labels of the images: (N) of i64.
Tensor labels_of(const Dataset& set, std::span<const Pick> picks);

}  // namespace unroll::data
