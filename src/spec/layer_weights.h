// The weights of a recurrent layer: their names and shapes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/core/cell.h"
#include "unroll/core/weight_role.h"
#include "unroll/spec/model_spec.h"

namespace unroll::spec {

/// The beginning of a weight's name: "weight_ih", "layer_norm_ih".
std::string_view stem_of(WeightRole role);
/// PyTorch's name for a weight of layer l in direction d: "weight_ih_l0".
std::string weight_name(WeightRole role, std::int64_t l, std::int64_t d = 0);
/// The name of a weight in a single-step cell: "weight_ih".
std::string weight_name(WeightRole role);

/// A weight of one layer in one direction. `name` is its name in the module:
/// "weight_ih_l0_reverse".
struct LayerWeight {
  WeightRole role;
  std::string name;
  Sizes shape;
};

/// The weights of layer l in direction d, in the order of the roles.
std::vector<LayerWeight> layer_weights(const RecurrentSpec& r, std::int64_t l, std::int64_t d);
/// layer_weights() with a cell of the caller, not the description's.
std::vector<LayerWeight> layer_weights(const RecurrentSpec& r, const CellTraits& cell,
                                       std::int64_t l, std::int64_t d);

/// A learnt initial state of all layers and directions: h_0, or c_0 for a cell with a memory.
struct LearntState {
  std::string_view name;
  Sizes shape;
};
/// The learnt states that the layers have with learn_initial_state. Ignores its current value.
std::vector<LearntState> learnt_states(const RecurrentSpec& r);

}  // namespace unroll::spec
