// The weights of a trainer as bits, to compare them exactly.
#pragma once

#include <cstdint>
#include <vector>

#include "support/tensors.h"
#include "train/trainer.h"

namespace unroll::train {

using Bits = std::vector<std::vector<std::uint64_t>>;

inline Bits bits_of(Trainer& trainer) {
  Bits bits;
  for (const Parameter& p : trainer.parameters()) bits.push_back(test::bits_of(p.value));
  return bits;
}

}  // namespace unroll::train
