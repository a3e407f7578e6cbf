#include "train/initial_values.h"

#include <algorithm>
#include <cstdint>

#include "unroll/nn/init.h"

namespace unroll::train {
namespace {

/// Draws every matrix again. Scales the values by the inputs and outputs of one block of rows: one
/// gate of a recurrent layer, or all channels of a convolution.
void draw_matrices(const Parameters& parameters, InitialValues init, Generator& generator) {
  for (const Parameter& p : parameters) {
    if (p.value.rank() < 2) continue;
    const std::int64_t blocks = std::max(p.gates, 1);
    const Tensor stacked = p.value.detach().view({blocks, p.value.size(0) / blocks, -1});
    for (std::int64_t b = 0; b < blocks; ++b) {
      const Tensor block = stacked.select(0, b);
      if (init == InitialValues::xavier)
        nn::init::xavier_uniform(block, generator);
      else
        nn::init::kaiming_uniform(block, generator);
    }
  }
}

}  // namespace

void set_initial_values(Network& model, const Config& config, Generator& generator) {
  if (config.init == InitialValues::torch) return;
  if (config.init == InitialValues::xavier || config.init == InitialValues::kaiming)
    return draw_matrices(model.parameters(), config.init, generator);
  for (const nn::Recurrent* recurrent : model.recurrent())
    for (const auto& layer : recurrent->layers()) {
      if (config.init == InitialValues::orthogonal) {
        const Tensor& weight_hh = layer[WeightRole::weight_hh];
        const Tensor& weight_hr = layer[WeightRole::weight_hr];  // (P, H) of a projection
        const std::int64_t hidden = (weight_hr.defined() ? weight_hr : weight_hh).size(1);
        const auto gates = static_cast<int>(weight_hh.size(0) / hidden);
        nn::init::orthogonal(weight_hh, generator, 1, gates);
        continue;
      }
      nn::init::identity(layer[WeightRole::weight_hh]);
      for (const WeightRole role : {WeightRole::bias_ih, WeightRole::bias_hh})
        if (layer[role].defined()) nn::init::constant(layer[role], 0);
    }
}

}  // namespace unroll::train
