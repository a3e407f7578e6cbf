// How images become a model's inputs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll::data {

/// What a description says of its images, ready to be done.
class ImageInputs {
 public:
  /// For images of this size. Throws ShapeError where they don't suit the model.
  ImageInputs(const spec::ImageInput& input, std::int64_t rows, std::int64_t columns);

  std::int64_t steps() const { return steps_; }  ///< T; 1 of what is no sequence
  std::int64_t size() const { return pixels_; }  ///< numbers of an image

  /// Of so many images: (N, T, I), (N, I) or (N, 1, H, W).
  Shape shape(std::int64_t count) const;

  /// Which pixel comes at each place; empty: as they are.
  std::span<const std::int64_t> order() const { return order_; }
  /// Pixels of one image, given one after the other.
  void permute(std::span<float> pixels) const;

 private:
  spec::ImageInput input_;
  std::int64_t rows_, columns_, pixels_, steps_;
  std::vector<std::int64_t> order_;
};

}  // namespace unroll::data
