// Limits of a description.
#pragma once

#include <cstddef>
#include <cstdint>

namespace unroll::spec {

// Enough for any network that fits in memory. Small enough to bound the memory for a damaged
// description, and to keep products of a few sizes from overflowing.
inline constexpr std::int64_t kLargest = 1 << 24;
inline constexpr std::int64_t kLongest = std::int64_t{1} << 40;  // largest number of steps
inline constexpr std::int64_t kMostChannels = 1 << 16;
inline constexpr std::int64_t kLargestWindow = 1 << 12;
inline constexpr std::int64_t kMostFeatures = 1 << 27;
inline constexpr std::int64_t kMostRecurrentLayers = 1024;
inline constexpr std::size_t kMostLayers = 256;
inline constexpr std::size_t kLongestName = 256;

}  // namespace unroll::spec
