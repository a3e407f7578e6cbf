// What settings must know of a source before it is opened.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace unroll::data {

class Source;
struct SourceOptions;

/// One row for each kind of source: a new kind is a row, and a file with its class.
struct SourceTraits {
  /// As the data set is named; with a dot in front, how the names of its files end. Empty: images.
  std::string_view name;
  std::shared_ptr<const Source> (*open)(const std::string& name, const SourceOptions& options);
  bool endless = false;              ///< never ends, so it has no epochs
  bool pixels = true;                ///< its inputs are images of pixels
  bool sequences_only = false;       ///< only recurrent models read it
  std::int64_t shortest_length = 0;  ///< the least --length; 0: it has no --length
  bool answers_every_step = false;   ///< wants an answer at a step, not for a whole sequence
};

/// The traits of the kind of source that has this name; of images, if no kind has it.
const SourceTraits& source_traits(std::string_view dataset);

/// The sources with a name of their own, in the order in which messages list them.
std::span<const SourceTraits> named_sources();

}  // namespace unroll::data
