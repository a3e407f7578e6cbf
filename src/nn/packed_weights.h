// The packed weights of recurrent layers, between calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "unroll/core/weight_role.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn {

/// Keeps the packed weights of each layer and direction until a weight changes. Several threads may
/// use it at once.
class PackedWeights {
 public:
  /// The versions of a layer's weights (Storage::version); 0 for a weight that is absent.
  using Versions = PerRole<std::uint64_t>;
  /// Empty if somebody outside the library can write to one of the weights.
  static std::optional<Versions> versions_of(const PerRole<Tensor>& weights);

  /// Packed weights that were kept for these versions; undefined if there are none. Then it also
  /// frees the memory of those for other versions.
  Tensor find(std::size_t at, const std::optional<Versions>& versions);
  /// From now on the packed weights must not change.
  void keep(std::size_t at, const std::optional<Versions>& versions, const Tensor& packed);

 private:
  struct Entry {
    Versions versions;
    Tensor packed;
  };
  // Only tried: in a child of fork() another thread may hold it forever. Then nothing is kept.
  std::mutex mutex_;
  std::vector<Entry> entries_;  // layer k, direction d is at k D + d
};

}  // namespace unroll::nn
