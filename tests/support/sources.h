// The sources that runs of a test train on.
#pragma once

#include <memory>

#include "data/image_source.h"
#include "data/open_source.h"
#include "train/describe.h"

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

/// What the settings name.
inline Source source(const train::Config& config) {
  return data::open_source(config.dataset, train::source_options(config));
}

}  // namespace unroll::test
