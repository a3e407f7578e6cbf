#include "nn/packed_weights.h"

#include "tensor/tensor_impl.h"

namespace unroll::nn {

std::optional<PackedWeights::Versions> PackedWeights::versions_of(const PerRole<Tensor>& weights) {
  Versions versions;
  for (const WeightRole role : all_weight_roles) {
    const Tensor& weight = weights[role];
    if (!weight.defined()) continue;
    versions[role] = weight.impl()->storage->version();
    if (versions[role] == 0) return std::nullopt;
  }
  return versions;
}

Tensor PackedWeights::find(std::size_t at, const std::optional<Versions>& versions) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || at >= entries_.size()) return {};
  Entry& entry = entries_[at];
  if (!versions || entry.versions.values != versions->values) entry = {};
  return entry.packed;
}

void PackedWeights::keep(std::size_t at, const std::optional<Versions>& versions,
                         const Tensor& packed) {
  if (!versions) return;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return;
  if (at >= entries_.size()) entries_.resize(at + 1);
  entries_[at] = {*versions, packed};
}

}  // namespace unroll::nn
