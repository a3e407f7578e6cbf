// Facts about a source that settings need before the source is opened.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::data {

class Source;
struct SourceOptions;

/// One row for each kind of source: a new kind is a row, and a file with its class.
struct SourceTraits {
  /// The name of the data set; or, if it starts with a dot, the ending of its files' names, also
  /// before .gz. Empty for images.
  std::string_view name;
  std::string_view title;  ///< for people, as in "the sum of two marked numbers"; empty for images
  std::shared_ptr<const Source> (*open)(const std::string& name, const SourceOptions& options);
  bool endless = false;              ///< never ends, so there are no epochs
  bool pixels = true;                ///< its inputs are images of pixels
  bool sequences_only = false;       ///< only recurrent models read it
  std::int64_t shortest_length = 0;  ///< the least --length; 0: --length is not allowed
  bool answers_every_step = false;   ///< asks for answers at steps, not for a whole sequence
  bool series = false;               ///< a file of series of the user's own
};

/// The traits of the kind of source with this name, or the traits of images if no kind has it.
const SourceTraits& source_traits(std::string_view dataset);

/// The traits of sources with a name of their own, not those of files, in the order in which
/// messages list them.
std::span<const SourceTraits> named_sources();

/// The endings of files of series, without .gz: ".csv" and so on.
std::vector<std::string> series_endings();

}  // namespace unroll::data
