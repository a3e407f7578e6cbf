#include "nn/packed_weights.h"

#include <algorithm>

#include "tensor/tensor_impl.h"

namespace unroll::nn {

PackedWeights::Versions PackedWeights::versions_of(std::span<const PerRole<Tensor>> weights) {
  Versions versions(current_workspace().get());
  for (const PerRole<Tensor>& layer : weights)
    for (const Tensor& weight : layer) {
      versions.push_back(weight.defined() ? weight.impl()->storage->version() : 0);
      if (weight.defined() && versions.back() == 0) return Versions(current_workspace().get());
    }
  return versions;
}

std::shared_ptr<const void> PackedWeights::find(const Versions& versions) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return {};
  if (versions.empty() || !std::ranges::equal(versions, versions_)) packed_.reset();
  return packed_;
}

void PackedWeights::keep(const Versions& versions, std::shared_ptr<const void> packed) {
  if (versions.empty()) return;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return;
  versions_.assign(versions.begin(), versions.end());
  packed_ = std::move(packed);
}

}  // namespace unroll::nn
