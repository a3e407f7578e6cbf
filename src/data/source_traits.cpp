#include "data/source_traits.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/printable.h"
#include "data/catalogue.h"
#include "data/open_source.h"
#include "data/recordings.h"
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

Opened open_series(const std::string& path, const SourceOptions& options) {
  const std::optional<spec::ModelSpec>& model = options.series_encoding.model;
  if (!model)
    return series_source(read_recordings(path, options.series, Targets::needed, {}, options.by),
                         options.series_encoding);
  return series_source(
      read_recordings(path, options.series, Targets::optional, text_columns_of(*model), options.by),
      options.series_encoding);
}

constexpr SourceTraits kImages = {.name = "", .title = "", .open = open_images};

constexpr SourceTraits file_of_series(std::string_view ending) {
  return {.name = ending,
          .title = "series",
          .open = open_series,
          .pixels = false,
          .sequences_only = true,
          .series = true};
}

constexpr SourceTraits kFiles[] = {file_of_series(".csv"), file_of_series(".tsv"),
                                   file_of_series(".ts"), file_of_series(".npz")};

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

std::vector<std::string> series_endings() {
  std::vector<std::string> endings;
  for (const SourceTraits& file : kFiles) endings.emplace_back(file.name);
  return endings;
}

const SourceTraits& source_traits(std::string_view dataset) {
  if (const auto named = std::ranges::find(kNamed, dataset, &SourceTraits::name);
      named != std::end(kNamed))
    return *named;
  std::string_view file = dataset;
  if (file.ends_with(".gz")) file.remove_suffix(3);
  const auto found = std::ranges::find_if(
      kFiles, [&](const SourceTraits& traits) { return file.ends_with(traits.name); });
  return found == std::end(kFiles) ? kImages : *found;
}

Opened open_source(const std::string& name, const SourceOptions& options) {
  return source_traits(name).open(name, options);
}

}  // namespace unroll::data
