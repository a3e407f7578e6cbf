// A source for the images of one idx file, which has no labels.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "data/source.h"

namespace unroll::data {

/// A source with a test part only, whose batches have no targets. With `index` it reads only that
/// image. Throws the errors of read_idx(), and ShapeError if the images don't suit `input`.
std::shared_ptr<const Source> image_file(const std::string& path, std::optional<std::int64_t> index,
                                         const spec::ImageInput& input);

}  // namespace unroll::data
