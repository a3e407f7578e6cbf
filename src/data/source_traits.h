// What settings must know of a source before it is opened.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace unroll::data {

/// One row for each source that has a name of its own, and one for images.
struct SourceTraits {
  std::string_view name;             ///< as the data set is named; empty: images
  bool endless = false;              ///< never ends, so it has no epochs
  bool pixels = true;                ///< its inputs are images of pixels
  bool sequences_only = false;       ///< only recurrent models read it
  std::int64_t shortest_length = 0;  ///< the least --length; 0: it has no --length
  bool answers_every_step = false;   ///< wants an answer at a step, not for a whole sequence
};

/// The traits of the source that the data set's name means; those of images if it names no other.
const SourceTraits& source_traits(std::string_view dataset);

/// The sources with a name of their own, in the order in which messages list them.
std::span<const SourceTraits> named_sources();

}  // namespace unroll::data
