// Shapes and pixel orders that turn images into a model's inputs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll::data {

/// The image input of a description, for images of one size.
class ImageInputs {
 public:
  /// Throws ShapeError if images of this size don't suit the model.
  ImageInputs(const spec::ImageInput& input, std::int64_t rows, std::int64_t columns);

  std::int64_t steps() const { return steps_; }  ///< T; 1 if the input is no sequence
  std::int64_t size() const { return pixels_; }  ///< numbers of an image

  /// The inputs' shape for `count` images: (N, T, I), (N, I) or (N, 1, H, W).
  Shape shape(std::int64_t count) const;

  /// Index of the pixel for each place; empty: the image's order.
  std::span<const std::int64_t> order() const { return order_; }
  /// Puts the pixels of one image in that order.
  void permute(std::span<float> pixels) const;

 private:
  spec::ImageInput input_;
  std::int64_t rows_, columns_, pixels_, steps_;
  std::vector<std::int64_t> order_;
};

}  // namespace unroll::data
