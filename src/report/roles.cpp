#include "report/roles.h"

#include <fmt/format.h>

#include <utility>

#include "spec/layer_weights.h"

namespace unroll::report {
namespace {

/// "hidden 1", or "hidden" if there is only one layer.
std::string hidden(std::int64_t l, std::int64_t layers) {
  return layers == 1 ? "hidden" : fmt::format("hidden {}", l);
}

/// The role of a weight of a recurrent layer. `into` and `on` name the products, `here` the layer.
std::string role_of(WeightRole role, const std::string& into, const std::string& on,
                    const std::string& here) {
  using enum WeightRole;
  switch (role) {
    case weight_ih:
      return into;
    case weight_hh:
      return on;
    case bias_ih:
      return "bias of " + into;
    case bias_hh:
      return "bias of " + on;
    case weight_hr:
      return "projection of " + here;
    case norm_ih_weight:
    case norm_ih_bias:
      return "norm of " + into;
    case norm_hh_weight:
    case norm_hh_bias:
      return "norm of " + on;
    case norm_c_weight:
    case norm_c_bias:
      break;
  }
  return "norm of the cell of " + here;
}

/// Visits the layers. It also gives roles to weights that a layer could have but does not.
struct Roles {
  const spec::ModelSpec& spec;
  std::string from = "input";  // the input of the next layer
  std::map<std::string, std::string> all = {};

  void operator()(const spec::RecurrentSpec& r) {
    for (std::int64_t l = 0; l < r.num_layers; ++l)
      for (const std::int64_t d : {0, 1}) {
        const std::string below = l == 0 ? "input" : hidden(l - 1, r.num_layers),
                          here = hidden(l, r.num_layers);
        const std::string into = fmt::format("{} → {}", below, here),
                          on = fmt::format("{} → {}", here, here);
        for (const WeightRole role : all_weight_roles)
          all[fmt::format("{}.{}", r.name, spec::weight_name(role, l, d))] =
              role_of(role, into, on, here) + (d == 1 ? ", backwards" : "");
      }
    for (const char* state : {".h_0", ".c_0"}) all[r.name + state] = "initial state";
    from = hidden(r.num_layers - 1, r.num_layers);
  }

  void operator()(const spec::LinearSpec& l) { add_product(l.name, &l); }
  void operator()(const spec::Conv1dSpec& c) { add_product(c.name, &c); }
  void operator()(const spec::Conv2dSpec& c) { add_product(c.name, &c); }
  void operator()(const spec::EmbeddingSpec& e) {
    all[e.name + ".weight"] = fmt::format("{} → {}", from, e.name);
    from = e.name;
  }
  void operator()(const spec::LayerNormSpec& n) {
    for (const char* part : {".weight", ".bias"}) all[n.name + part] = "norm of " + from;
  }
  template <class Other>
  void operator()(const Other&) {}

 private:
  template <class Layer>
  void add_product(const std::string& name, const Layer* layer) {
    const bool is_last = std::get_if<Layer>(&spec.layers.back()) == layer;
    const std::string role = fmt::format("{} → {}", from, is_last ? "output" : name);
    all[name + ".weight"] = role;
    all[name + ".bias"] = "bias of " + role;
    from = name;
  }
};

}  // namespace

std::map<std::string, std::string> roles_of(const spec::ModelSpec& spec) {
  Roles roles{spec};
  for (const spec::LayerSpec& layer : spec.layers) std::visit(roles, layer);
  return std::move(roles.all);
}

}  // namespace unroll::report
