// A source of labelled images for models of every form.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "data/source.h"

namespace unroll::data {

/// Both parts of a set of images.
struct ImageSets {
  Dataset train, test;
};

/// Both parts from one folder. Throws the errors of open_folder().
ImageSets open_image_sets(const std::string& folder);

struct ImageOptions {
  spec::ImageInput input = {};  ///< how an image becomes an input; the size is the set's
  /// The mean and standard deviation of the training images take the place of the input's.
  bool normalize = false;
  int shift = 0;             ///< moves training images by up to this many pixels, as LoaderOptions
  std::int64_t classes = 0;  ///< the fewest classes; there are more where a set has more
  /// The share of the training images that become the validation part, class by class: "0.1".
  /// "none" and "auto": no such part.
  std::string validate = std::string(no_part);
  std::uint64_t split_seed = 0;  ///< of the choice
  /// The test images and their labels become random ones of this seed, for the proof that they have
  /// no influence.
  std::optional<std::uint64_t> test_noise = {};
};

/// A source with images and their classes. Throws ShapeError if the images don't suit the input, or
/// differ in size between the parts. Throws ValueError for sets that check_dataset() refuses, and
/// for a normalization, a shift or a share outside its range.
///
/// A validation part is chosen as choose_share() does: image i of the training set draws the word
/// of (split_seed, i).
std::shared_ptr<const Source> image_source(ImageSets sets, const ImageOptions& options = {});

}  // namespace unroll::data
