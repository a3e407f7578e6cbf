// The packed weights of recurrent layers, between calls.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <span>
#include <vector>

#include "unroll/core/weight_role.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// Keeps the packed weights of a stack (kernels::PackedStack) until a weight changes. Several
/// threads may use it at once.
class PackedWeights {
 public:
  /// The versions of all weights (Storage::version); 0 for a weight that is absent.
  using Versions = std::pmr::vector<std::uint64_t>;
  /// Empty if somebody outside the library can write to one of the weights (L D).
  static Versions versions_of(std::span<const PerRole<Tensor>> weights);

  /// Packed weights that were kept for these versions; null if there are none. Then it also frees
  /// the memory of those for other versions.
  std::shared_ptr<const void> find(const Versions& versions);
  void keep(const Versions& versions, std::shared_ptr<const void> packed);

 private:
  // Only tried: in a child of fork() another thread may hold it forever. Then nothing is kept.
  std::mutex mutex_;
  std::vector<std::uint64_t> versions_;
  std::shared_ptr<const void> packed_;
};

}  // namespace unroll::nn
