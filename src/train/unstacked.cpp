#include "train/unstacked.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "spec/layer_name.h"
#include "spec/layer_weights.h"
#include "spec/limits.h"
#include "tensor/tensor_impl.h"

namespace unroll::train {
namespace {

/// Layer l of a stack, as a layer of its own.
spec::RecurrentSpec one_layer(const spec::RecurrentSpec& r, std::int64_t l) {
  spec::RecurrentSpec one = r;
  one.name = layer_name(r.name, l, r.num_layers);
  one.num_layers = 1;
  if (l > 0) one.input_size = r.directions() * r.state_size();
  if (l < r.num_layers - 1) one.readout = spec::Readout::every_step;
  return one;
}

/// The weights of a stack under the names of its single layers.
void rename(const spec::RecurrentSpec& r, const Parameters& weights, Parameters& to) {
  const auto find = [&](const std::string& name) -> const Parameter& {
    return *std::ranges::find(weights, r.name + "." + name, &Parameter::name);
  };
  for (std::int64_t l = 0; l < r.num_layers; ++l) {
    const spec::RecurrentSpec one = one_layer(r, l);
    for (std::int64_t d = 0; d < r.directions(); ++d) {
      const auto from = spec::layer_weights(r, l, d), single = spec::layer_weights(one, 0, d);
      for (std::size_t i = 0; i < from.size(); ++i) {
        const Parameter& weight = find(from[i].name);
        to.push_back({one.name + "." + single[i].name, weight.value, weight.gates});
      }
    }
    if (!r.learn_initial_state) continue;
    for (const spec::LearntState& state : spec::learnt_states(r)) {  // (L D, 1, H)
      const Tensor& value = find(std::string(state.name)).value;
      Shape shape = value.shape();
      shape[0] = r.directions();
      to.push_back({fmt::format("{}.{}", one.name, state.name),
                    make_view(value.detach(), shape, l * r.directions() * value.stride(0)), 0});
    }
  }
}

}  // namespace

std::string layer_name(const std::string& recurrent, std::int64_t l, std::int64_t layers) {
  return layers == 1 ? recurrent : fmt::format("{} l{}", recurrent, l);
}

Unstacked unstacked(const spec::ModelSpec& spec, const Parameters& weights) {
  std::size_t count = 0;
  for (const spec::LayerSpec& layer : spec.layers) {
    const auto* r = std::get_if<spec::RecurrentSpec>(&layer);
    count += r ? static_cast<std::size_t>(r->num_layers) : 1;
  }
  if (count > spec::kMostLayers) return {spec, weights};
  Unstacked result{spec, {}};
  result.spec.layers.clear();
  std::vector<std::int64_t> became;  // the number of layers that each layer became
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    became.push_back(1);
    if (const auto* r = std::get_if<spec::RecurrentSpec>(&spec.layers[i])) {
      became.back() = r->num_layers;
      for (std::int64_t l = 0; l < r->num_layers; ++l)
        result.spec.layers.emplace_back(one_layer(*r, l));
      rename(*r, weights, result.weights);
      continue;
    }
    spec::LayerSpec layer = spec.layers[i];
    if (auto* residual = std::get_if<spec::ResidualSpec>(&layer)) {
      std::int64_t over = 0;
      for (std::int64_t back = 1; back <= residual->over; ++back)
        over += became[i - static_cast<std::size_t>(back)];
      residual->over = over;
    }
    result.spec.layers.push_back(layer);
    const std::string* const name = spec::name_of_layer(layer);
    if (!name) continue;
    for (const Parameter& weight : weights)
      if (weight.name.starts_with(*name + ".") &&
          weight.name.find('.', name->size() + 1) == std::string::npos)
        result.weights.push_back(weight);
  }
  return result;
}

std::unique_ptr<Network> network_of(const Unstacked& model) {
  Generator unused(0);  // all initial values are replaced
  auto network = std::make_unique<Network>(
      model.spec, unused, NetworkOptions{.dtype = model.weights.front().value.dtype()});
  network->load(model.weights);
  network->eval();
  return network;
}

}  // namespace unroll::train
