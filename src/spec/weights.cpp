// The weights that a model has.
#include <fmt/format.h>

#include <set>
#include <string_view>

#include "core/list_text.h"
#include "unroll/spec/model_spec.h"

namespace unroll::spec {
namespace {

/// Collects names and shapes of one layer after the other.
struct Collect {
  std::vector<std::pair<std::string, Sizes>> all;

  void operator()(const RecurrentSpec& r) {
    const std::int64_t rows = r.gates() * r.hidden_size;
    for (std::int64_t l = 0; l < r.num_layers; ++l)
      for (std::int64_t d = 0; d < r.directions(); ++d) {
        const std::string end = fmt::format("_l{}{}", l, d == 1 ? "_reverse" : "");
        const auto add = [&](std::string_view name, Sizes sizes) {
          all.emplace_back(fmt::format("{}.{}{}", r.name, name, end), std::move(sizes));
        };
        const auto add_norm = [&](std::string_view name, std::int64_t size) {
          for (const char* part : {"weight", "bias"})
            all.emplace_back(fmt::format("{}.layer_norm_{}{}.{}", r.name, name, end, part),
                             Sizes{size});
        };
        add("weight_ih", {rows, l == 0 ? r.input_size : r.directions() * r.state_size()});
        add("weight_hh", {rows, r.state_size()});
        if (r.bias) {
          add("bias_ih", {rows});
          add("bias_hh", {rows});
        }
        if (r.proj_size > 0) add("weight_hr", {r.proj_size, r.hidden_size});
        if (r.layer_norm) {
          add_norm("ih", rows);
          add_norm("hh", rows);
          if (r.cell == Cell::lstm) add_norm("c", r.hidden_size);
        }
      }
    if (!r.learn_initial_state) return;
    const std::int64_t states = r.num_layers * r.directions();
    all.emplace_back(r.name + ".h_0", Sizes{states, 1, r.state_size()});
    if (r.cell == Cell::lstm) all.emplace_back(r.name + ".c_0", Sizes{states, 1, r.hidden_size});
  }

  void operator()(const LinearSpec& l) {
    all.emplace_back(l.name + ".weight", Sizes{l.out_features, l.in_features});
    if (l.bias) all.emplace_back(l.name + ".bias", Sizes{l.out_features});
  }

  void operator()(const Conv2dSpec& c) {
    all.emplace_back(c.name + ".weight",
                     Sizes{c.out_channels, c.in_channels, c.kernel.height, c.kernel.width});
    if (c.bias) all.emplace_back(c.name + ".bias", Sizes{c.out_channels});
  }

  void operator()(const ActivationSpec&) {}
  void operator()(const MaxPool2dSpec&) {}
  void operator()(const FlattenSpec&) {}
  void operator()(const ScaleSpec&) {}
  void operator()(const ResidualSpec&) {}
};

}  // namespace

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
