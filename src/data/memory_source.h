// The memory tasks (adding, copy) as sources.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "data/source.h"

namespace unroll::data {

struct MemoryOptions {
  std::int64_t length = 100;  ///< T of unroll/data/sequence_tasks.h
  std::uint64_t seed = 0;     ///< seed of the training part
};

/// The largest error of a right answer to the adding problem (Hochreiter, Schmidhuber 1997).
inline constexpr double adding_tolerance = 0.04;

/// The task with this name, "adding" or "copy". The training part is endless. The test part is the
/// first 1000 sequences of the test list of seed 0, whatever the seed in `options`. Throws
/// ValueError for another name, or a length outside the task's range.
std::shared_ptr<const Source> memory_source(std::string_view name,
                                            const MemoryOptions& options = {});
/// The task for testing a model that reads `input`. The length follows from the input's steps: it
/// is the nearest length that the task allows.
std::shared_ptr<const Source> memory_source(std::string_view name, const spec::InputSpec& input);

}  // namespace unroll::data
