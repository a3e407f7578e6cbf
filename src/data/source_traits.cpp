#include "data/source_traits.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/printable.h"
#include "data/catalogue.h"
#include "data/open_source.h"
#include "unroll/core/error.h"
#include "unroll/data/mnist.h"

namespace unroll::data {
namespace {

using Opened = std::shared_ptr<const Source>;

ImageSets find_here(const std::string& name) {
  if (find_known_set(name)) return {mnist(Split::train, {name}), mnist(Split::test, {name})};
  return open_image_sets(name);
}

Opened open_images(const std::string& name, const SourceOptions& options) {
  ImageOptions images = options.images;
  if (options.model) {
    const spec::ImageInput* input = spec::pixels_of(*options.model);
    if (!input)
      throw ShapeError("eval", fmt::format("the model reads no images, and {} has nothing else",
                                           printable(name)));
    images = {.input = *input, .classes = images.classes};
  }
  return image_source(options.find_images ? options.find_images(name) : find_here(name), images);
}

Opened open_memory(const std::string& name, const SourceOptions& options) {
  return options.model ? memory_source(name, *options.model) : memory_source(name, options.memory);
}

constexpr SourceTraits kImages = {.name = "", .title = "", .open = open_images};

constexpr SourceTraits kNamed[] = {
    {.name = "adding",
     .title = "add the two marked numbers of a sequence",
     .open = open_memory,
     .endless = true,
     .pixels = false,
     .sequences_only = true,
     .shortest_length = 2},
    {.name = "copy",
     .title = "repeat ten symbols after a long pause",
     .open = open_memory,
     .endless = true,
     .pixels = false,
     .sequences_only = true,
     .shortest_length = 1,
     .answers_every_step = true},
};

}  // namespace

std::span<const SourceTraits> named_sources() { return kNamed; }

const SourceTraits& source_traits(std::string_view dataset) {
  const auto found = std::ranges::find_if(kNamed, [&](const SourceTraits& traits) {
    return traits.name.starts_with('.') ? dataset.ends_with(traits.name) : dataset == traits.name;
  });
  return found == std::end(kNamed) ? kImages : *found;
}

Opened open_source(const std::string& name, const SourceOptions& options) {
  return source_traits(name).open(name, options);
}

}  // namespace unroll::data
