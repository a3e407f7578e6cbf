// Weights that torch's weight_norm keeps in two parts, a length and a direction.
#pragma once

#include <deque>
#include <span>
#include <vector>

#include "unroll/io/safetensors.h"

namespace unroll::importer {

/// A file's tensors, weight-normalised ones put together; the others are as they were.
struct PutTogether {
  std::vector<io::ArrayView> arrays;
  std::deque<std::vector<float>> memory;  ///< what the new ones point into
};

/// w = g v / |v|, the norm going over the dimensions in which g has size 1 (Salimans, Kingma 2016).
/// Parts are called NAME_g and NAME_v, or P.parametrizations.NAME.original0 and original1; the
/// weight gets the name that it has without weight_norm. Parts of other shapes stay parts.
/// Source:
/// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.weight_norm.html
PutTogether without_weight_norm(std::span<const io::ArrayView> arrays);

}  // namespace unroll::importer
