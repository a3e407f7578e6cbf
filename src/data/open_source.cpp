#include "data/open_source.h"

#include "data/catalogue.h"
#include "data/source_traits.h"
#include "unroll/core/error.h"
#include "unroll/data/mnist.h"

namespace unroll::data {
namespace {

ImageSets find_here(const std::string& name) {
  if (find_known_set(name)) return {mnist(Split::train, {name}), mnist(Split::test, {name})};
  return {open_folder(Split::train, name), open_folder(Split::test, name)};
}

std::shared_ptr<const Source> open_images(const std::string& name, const SourceOptions& options) {
  ImageOptions images = options.images;
  if (options.model) {
    const spec::ImageInput* input = spec::pixels_of(*options.model);
    if (!input)
      throw ShapeError("eval", "the model reads no images, and " + name + " has nothing else");
    images = {.input = *input};
  }
  return image_source(options.find_images ? options.find_images(name) : find_here(name), images);
}

}  // namespace

std::shared_ptr<const Source> open_source(const std::string& name, const SourceOptions& options) {
  if (source_traits(name).endless)
    return options.model ? memory_source(name, *options.model)
                         : memory_source(name, options.memory);
  return open_images(name, options);
}

}  // namespace unroll::data
