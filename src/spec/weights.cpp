// The weights of a model.
#include <fmt/format.h>

#include <set>
#include <string_view>

#include "core/list_text.h"
#include "spec/cells.h"
#include "spec/layer_weights.h"

namespace unroll::spec {
namespace {

/// The parts of a weight's name before and after its layer and direction: "layer_norm_ih" _l0
/// ".bias".
struct NameParts {
  std::string_view stem, end = {};
};
constexpr PerRole<NameParts> kWeightNames = {{{{"weight_ih"},
                                               {"weight_hh"},
                                               {"bias_ih"},
                                               {"bias_hh"},
                                               {"weight_hr"},
                                               {"layer_norm_ih", ".weight"},
                                               {"layer_norm_ih", ".bias"},
                                               {"layer_norm_hh", ".weight"},
                                               {"layer_norm_hh", ".bias"},
                                               {"layer_norm_c", ".weight"},
                                               {"layer_norm_c", ".bias"}}}};

/// The shape of a weight; empty if the layer has no weight of this role.
Sizes shape_of(WeightRole role, const RecurrentSpec& r, const CellTraits& cell, std::int64_t l) {
  using enum WeightRole;
  const std::int64_t rows = static_cast<std::int64_t>(cell.gates) * r.hidden_size;
  switch (role) {
    case weight_ih:
      return {rows, l == 0 ? r.input_size : r.directions() * r.state_size()};
    case weight_hh:
      return {rows, r.state_size()};
    case bias_ih:
    case bias_hh:
      return r.bias ? Sizes{rows} : Sizes{};
    case weight_hr:
      return r.proj_size > 0 ? Sizes{r.proj_size, r.hidden_size} : Sizes{};
    case norm_ih_weight:
    case norm_ih_bias:
    case norm_hh_weight:
    case norm_hh_bias:
      return r.layer_norm ? Sizes{rows} : Sizes{};
    case norm_c_weight:
    case norm_c_bias:
      break;
  }
  return r.layer_norm && cell.memory ? Sizes{r.hidden_size} : Sizes{};
}

/// Collects the names and shapes of all layers.
struct Collect {
  std::vector<std::pair<std::string, Sizes>> all;

  void operator()(const RecurrentSpec& r) {
    const auto add = [&](std::string_view name, Sizes& shape) {
      all.emplace_back(fmt::format("{}.{}", r.name, name), std::move(shape));
    };
    for (std::int64_t l = 0; l < r.num_layers; ++l)
      for (std::int64_t d = 0; d < r.directions(); ++d)
        for (LayerWeight& weight : layer_weights(r, l, d)) add(weight.name, weight.shape);
    if (r.learn_initial_state)
      for (LearntState& state : learnt_states(r)) add(state.name, state.shape);
  }

  void operator()(const LinearSpec& l) {
    all.emplace_back(l.name + ".weight", Sizes{l.out_features, l.in_features});
    if (l.bias) all.emplace_back(l.name + ".bias", Sizes{l.out_features});
  }

  void operator()(const Conv1dSpec& c) {
    all.emplace_back(c.name + ".weight",
                     Sizes{c.out_channels, c.in_channels / c.groups, c.windows.kernel});
    if (c.bias) all.emplace_back(c.name + ".bias", Sizes{c.out_channels});
  }

  void operator()(const Conv2dSpec& c) {
    all.emplace_back(c.name + ".weight",
                     Sizes{c.out_channels, c.in_channels, c.kernel.height, c.kernel.width});
    if (c.bias) all.emplace_back(c.name + ".bias", Sizes{c.out_channels});
  }

  void operator()(const EmbeddingSpec& e) {
    all.emplace_back(e.name + ".weight", Sizes{e.num_embeddings, e.embedding_dim});
  }

  void operator()(const LayerNormSpec& n) {
    if (n.elementwise_affine) all.emplace_back(n.name + ".weight", Sizes{n.features});
    if (n.has_bias()) all.emplace_back(n.name + ".bias", Sizes{n.features});
  }

  void operator()(const ActivationSpec&) {}
  void operator()(const MaxPool2dSpec&) {}
  void operator()(const FlattenSpec&) {}
  void operator()(const ScaleSpec&) {}
  void operator()(const ResidualSpec&) {}
};

}  // namespace

std::string_view stem_of(WeightRole role) { return kWeightNames[role].stem; }

std::string weight_name(WeightRole role, std::int64_t l, std::int64_t d) {
  return fmt::format("{}_l{}{}{}", kWeightNames[role].stem, l, d == 1 ? "_reverse" : "",
                     kWeightNames[role].end);
}

std::string weight_name(WeightRole role) {
  return fmt::format("{}{}", kWeightNames[role].stem, kWeightNames[role].end);
}

std::vector<LayerWeight> layer_weights(const RecurrentSpec& r, const CellTraits& cell,
                                       std::int64_t l, std::int64_t d) {
  std::vector<LayerWeight> all;
  for (const WeightRole role : all_weight_roles)
    if (Sizes shape = shape_of(role, r, cell, l); !shape.empty())
      all.push_back({role, weight_name(role, l, d), std::move(shape)});
  return all;
}

std::vector<LayerWeight> layer_weights(const RecurrentSpec& r, std::int64_t l, std::int64_t d) {
  return layer_weights(r, info_of(r).traits(), l, d);
}

std::vector<LearntState> learnt_states(const RecurrentSpec& r) {
  const std::int64_t rows = r.num_layers * r.directions();
  std::vector<LearntState> all = {{"h_0", {rows, 1, r.state_size()}}};
  if (info_of(r).has_memory()) all.push_back({"c_0", {rows, 1, r.hidden_size}});
  return all;
}

std::vector<std::pair<std::string, Sizes>> weights_of(const ModelSpec& spec) {
  Collect collect;
  for (const LayerSpec& layer : spec.layers) std::visit(collect, layer);
  return std::move(collect.all);
}

std::string differences(const ModelSpec& spec, const std::map<std::string, Sizes>& weights) {
  ListText found;
  const auto needed = weights_of(spec);
  std::set<std::string_view> known;
  for (const auto& [name, sizes] : needed) {
    known.insert(name);
    const auto given = weights.find(name);
    if (given == weights.end())
      found.add(fmt::format("{} is missing", name));
    else if (given->second != sizes)
      found.add(fmt::format("{} has shape [{}], expected [{}]", name,
                            fmt::join(given->second, ", "), fmt::join(sizes, ", ")));
  }
  for (const auto& [name, sizes] : weights)
    if (!known.contains(name)) found.add(fmt::format("{} is not part of the model", name));
  return found.text("; ");
}

}  // namespace unroll::spec
