// The weights of a recurrent layer: which there are, their names and shapes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/core/cell.h"
#include "unroll/core/weight_role.h"
#include "unroll/spec/model_spec.h"

namespace unroll::spec {

/// "weight_ih", "layer_norm_ih": how a weight's name begins.
std::string_view stem_of(WeightRole role);
/// "weight_ih_l0": the name that PyTorch gives a weight of layer l, in direction d.
std::string weight_name(WeightRole role, std::int64_t l, std::int64_t d = 0);
/// "weight_ih": the same in a layer of a single step.
std::string weight_name(WeightRole role);

/// A weight of one layer in one direction. `name` is that in the module: "weight_ih_l0_reverse".
struct LayerWeight {
  WeightRole role;
  std::string name;
  Sizes shape;
};

/// The weights of layer l in direction d, in the order of the roles.
std::vector<LayerWeight> layer_weights(const RecurrentSpec& r, std::int64_t l, std::int64_t d);
/// The same with a cell of the caller's instead of the description's.
std::vector<LayerWeight> layer_weights(const RecurrentSpec& r, const CellTraits& cell,
                                       std::int64_t l, std::int64_t d);

/// A learnt initial state of all layers and directions: h_0, and c_0 of a cell with a memory.
struct LearntState {
  std::string_view name;
  Sizes shape;
};
/// Those that the layers have, or with learn_initial_state would have.
std::vector<LearntState> learnt_states(const RecurrentSpec& r);

}  // namespace unroll::spec
