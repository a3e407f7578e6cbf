// Opens a source by its name. Only this function does.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "data/image_source.h"
#include "data/memory_source.h"
#include "data/series_source.h"
#include "data/source.h"

namespace unroll::data {

/// Options for reading a source. Each kind of source uses the members that concern it.
struct SourceOptions {
  ImageOptions images = {};
  MemoryOptions memory = {};
  SeriesSettings series = {};
  SeriesEncoding series_encoding = {};
  std::string by = {};  ///< a column of a file of series, for Source::values_by()
  /// The input of the model to test. If set, it takes precedence over the other options.
  std::optional<spec::InputSpec> model = {};
  /// Opens a known set of images by its name, or a folder with a set. A program that downloads sets
  /// does so here. Unset: only finds sets on this machine.
  std::function<ImageSets(const std::string& name_or_folder)> find_images = {};
};

/// Opens a memory task ("adding", "copy"), a known set of images ("mnist"), or a folder with a set.
/// Throws the errors of opening it.
std::shared_ptr<const Source> open_source(const std::string& name, const SourceOptions& options);

}  // namespace unroll::data
