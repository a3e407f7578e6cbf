// Images, as a model of any form reads them.
#pragma once

#include <memory>
#include <string>

#include "data/source.h"

namespace unroll::data {

/// Both parts of a set of images.
struct ImageSets {
  Dataset train, test;
};

/// Both parts from one folder. Throws what open_folder() throws.
ImageSets open_image_sets(const std::string& folder);

struct ImageOptions {
  spec::ImageInput input = {};  ///< how an image becomes an input; the size is the set's
  int shift = 0;  ///< moves training images by up to this many pixels, as LoaderOptions
};

/// Classes of images. Throws ShapeError where images of that size don't suit the input, or differ
/// in size between the parts; ValueError for sets that are not whole or a normalization or a shift
/// outside its range.
std::shared_ptr<const Source> image_source(ImageSets sets, const ImageOptions& options = {});

}  // namespace unroll::data
