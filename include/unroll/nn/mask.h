// Random masks. They are the same for any number of threads and after a resume.
#pragma once

#include <cstdint>

#include "unroll/core/api.h"
#include "unroll/core/random.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// Identifies a mask. Different keys give independent masks.
struct MaskKey {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;   ///< number of the forward pass in training
  std::uint32_t layer = 0;  ///< number of the mask within the pass
};

/// Each element is `one` with probability `keep`, else 0. Element i is a pure function of (key, i):
/// one word of Philox 4x32-10 compared with keep 2^32. So threads and the order of drawing do not
/// matter, and f32 and f64 get the same mask.
/// Throws ValueError unless 0 <= keep <= 1, and ShapeError for 2^34 elements or more. Source:
/// Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
UNROLL_API Tensor bernoulli_mask(const Shape& shape, double keep, const MaskKey& key,
                                 DType dtype = DType::f32, double one = 1);

/// The source of a layer's masks: a seed, and the number of forward passes in training so far. To
/// resume a run, set the saved step; the seed comes from the layer's construction.
class UNROLL_API MaskSource {
 public:
  explicit MaskSource(std::uint64_t seed) : seed_(seed) {}
  /// Takes a new seed without a draw from the generator (Generator::child_seed).
  explicit MaskSource(Generator& generator) : seed_(generator.child_seed()) {}

  /// The key for the next forward pass in training.
  MaskKey next() { return {seed_, step_++, 0}; }

  std::uint64_t seed() const { return seed_; }
  std::uint64_t step() const { return step_; }
  void set_step(std::uint64_t step) { step_ = step; }

 private:
  std::uint64_t seed_, step_ = 0;
};

}  // namespace unroll::nn
