// The texts of a picture of a model, and the layers that share a box.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/svg_drawing.h"
#include "unroll/spec/model_spec.h"

namespace unroll::report {

/// 14010 as "14,010".
std::string with_commas(std::int64_t number);
/// "1 parameter", "14,010 parameters".
std::string parameters_text(std::int64_t count);
/// The shape of one sample, or of one step of a sequence: "28", "16 × 14 × 14".
std::string shape_text(const spec::Features& features);

/// A box of a layer without time. `parameters` is 0 for a layer without weights.
struct Part {
  Fill fill = Fill::plain;
  std::vector<Line> lines = {};
  std::int64_t parameters = 0;
};

/// The box of any layer that is neither recurrent nor residual.
Part part_of(const spec::LayerSpec& layer, bool activation_known);

/// Stacked layers `first` to `last` of a recurrent layer that share one box: one of them, or those
/// in the middle of a deep stack.
struct StackedLayers {
  std::int64_t first = 0, last = 0;
};

std::vector<StackedLayers> stacked_layers(const spec::RecurrentSpec& r);
/// The box in direction d.
Part part_of(const spec::RecurrentSpec& r, StackedLayers layers, std::int64_t d,
             bool activation_known);
/// Learnt initial states of these layers in one direction; 0 if they start from zeros.
std::int64_t learnt_states_of(const spec::RecurrentSpec& r, StackedLayers layers);

}  // namespace unroll::report
