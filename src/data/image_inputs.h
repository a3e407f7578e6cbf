// How images become a model's inputs.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "unroll/data/dataset.h"
#include "unroll/spec/model_spec.h"

namespace unroll::data {

/// What a description says of its images, ready to be done.
class ImageInputs {
 public:
  /// For images of this size. Throws ShapeError where they don't suit the model.
  ImageInputs(const spec::ImageInput& input, std::int64_t rows, std::int64_t columns);

  std::int64_t steps() const { return steps_; }  ///< T; 1 of what is no sequence
  std::int64_t size() const { return pixels_; }  ///< numbers of an image

  /// A set's images from `first` on: (count, T, I), or (count, I).
  template <class T>
  void fill(const Dataset& set, std::int64_t first, std::span<T> inputs) const;

  /// Which pixel comes at each place; empty: as they are.
  std::span<const std::int64_t> order() const { return order_; }
  /// Pixels of one image, given one after the other.
  void permute(std::span<float> pixels) const;

 private:
  spec::ImageInput input_;
  std::int64_t rows_, columns_, pixels_, steps_;
  std::array<float, 256> values_;
  std::vector<std::int64_t> order_;
};

}  // namespace unroll::data
