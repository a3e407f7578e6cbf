// Weights that PyTorch's weight_norm splits into two parts, a length and a direction.
#pragma once

#include <deque>
#include <span>
#include <vector>

#include "unroll/io/safetensors.h"

namespace unroll::importer {

/// The tensors of a file. Both parts of a weight under weight_norm are combined; the others are
/// unchanged.
struct PutTogether {
  std::vector<io::ArrayView> arrays;
  std::deque<std::vector<float>> memory;  ///< the elements of the combined weights
};

/// Combines the parts: w = g v / |v| (Salimans, Kingma 2016). The norm runs over the dimensions in
/// which g has size 1. The parts are called NAME_g and NAME_v, or P.parametrizations.NAME.original0
/// and original1. The weight gets the name that it has without weight_norm. Parts whose shapes do
/// not fit stay as they are. Source:
/// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.weight_norm.html
PutTogether without_weight_norm(std::span<const io::ArrayView> arrays);

}  // namespace unroll::importer
