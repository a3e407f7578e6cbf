// Random numbers in the place of a part of the data.
#pragma once

#include <cstdint>
#include <span>

#include "data/recordings.h"

namespace unroll::data {

/// Replaces every value and target of the test series by random ones. Numbers are from -4 to 4.
/// Texts and classes are some that training series have. The words come from Philox with this seed.
void put_noise(Recordings& recordings, std::span<const Split> parts, std::uint64_t seed);

}  // namespace unroll::data
