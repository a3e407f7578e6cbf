// The sources that runs of a test train on.
#pragma once

#include <cstdint>
#include <memory>

#include "data/image_source.h"
#include "data/open_source.h"
#include "train/describe.h"
#include "unroll/core/random.h"

namespace unroll::test {

using Source = std::shared_ptr<const data::Source>;

/// Images, read as the settings say.
inline Source images(const train::Config& config, const data::Dataset& train,
                     const data::Dataset& test) {
  return data::image_source({train, test}, train::source_options(config).images);
}
inline Source images(const train::Config& config, const data::Dataset& set) {
  return images(config, set, set);
}

/// Images of 9x7 without meaning, in ten classes.
inline data::Dataset noise(std::int64_t count) {
  data::Dataset set;
  set.name = "noise";
  set.count = count;
  set.rows = 9;
  set.columns = 7;
  Generator generator(1);
  for (std::int64_t i = 0; i < set.count * set.rows * set.columns; ++i)
    set.images.push_back(static_cast<std::uint8_t>(generator.next_u32()));
  for (std::int64_t i = 0; i < set.count; ++i)
    set.labels.push_back(static_cast<std::uint8_t>(i % 10));
  return set;
}

/// What the settings name.
inline Source source(const train::Config& config) {
  return data::open_source(config.dataset, train::source_options(config));
}

}  // namespace unroll::test
