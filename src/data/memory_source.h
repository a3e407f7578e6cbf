// Tasks that ask a recurrent network to remember, as sources.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "data/source.h"

namespace unroll::data {

struct MemoryOptions {
  std::int64_t length = 100;  ///< T of unroll/data/sequence_tasks.h
  std::uint64_t seed = 0;     ///< of the training part
};

/// An answer to the adding problem is right within this (Hochreiter, Schmidhuber 1997).
inline constexpr double adding_tolerance = 0.04;

/// The task of this name, "adding" or "copy". The training part is endless; the test part is the
/// first 1000 sequences of seed 0's test list, whatever the seed. Throws ValueError for a length
/// outside its range or another name.
std::shared_ptr<const Source> memory_source(std::string_view name,
                                            const MemoryOptions& options = {});
/// The same to test a model that reads `input`, whose steps tell the length (the nearest that the
/// task can have).
std::shared_ptr<const Source> memory_source(std::string_view name, const spec::InputSpec& input);

}  // namespace unroll::data
