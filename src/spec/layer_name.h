// The name of a layer of any kind.
#pragma once

#include <string>
#include <variant>

#include "unroll/spec/layers.h"

namespace unroll::spec {

/// The name that the layer's weights begin with; nullptr for a kind without weights.
inline const std::string* name_of_layer(const LayerSpec& layer) {
  return std::visit(
      [](const auto& l) -> const std::string* {
        if constexpr (requires { l.name; }) return &l.name;
        return nullptr;
      },
      layer);
}

}  // namespace unroll::spec
