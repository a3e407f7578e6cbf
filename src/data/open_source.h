// The one place that opens a source by its name.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "data/image_source.h"
#include "data/memory_source.h"
#include "data/source.h"

namespace unroll::data {

/// How a source is to be read; each kind takes what concerns it.
struct SourceOptions {
  ImageOptions images = {};
  MemoryOptions memory = {};
  /// The input of a model that is to be tested: it is read in this way, whatever the rest says.
  std::optional<spec::InputSpec> model = {};
  /// Opens a known set of images by its name, or a folder of one; where a program may download, it
  /// does so here. Unset: what is on this machine.
  std::function<ImageSets(const std::string& name_or_folder)> find_images = {};
};

/// A memory task ("adding", "copy"), a known set of images ("mnist"), or a folder with one. Throws
/// what opening it throws.
std::shared_ptr<const Source> open_source(const std::string& name, const SourceOptions& options);

}  // namespace unroll::data
