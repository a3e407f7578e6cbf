#include "app/roles.h"

#include <fmt/format.h>

#include <utility>

namespace unroll::app {
namespace {

/// "hidden 1", or "hidden" where there is but one layer.
std::string hidden(std::int64_t l, std::int64_t layers) {
  return layers == 1 ? "hidden" : fmt::format("hidden {}", l);
}

/// Goes through the layers; a weight that one does not have gets a role all the same.
struct Roles {
  const spec::ModelSpec& spec;
  std::string from = "input";  // what the next layer reads
  std::map<std::string, std::string> all = {};

  void operator()(const spec::RecurrentSpec& r) {
    for (std::int64_t l = 0; l < r.num_layers; ++l)
      for (const bool reverse : {false, true}) {
        const std::string below = l == 0 ? "input" : hidden(l - 1, r.num_layers),
                          here = hidden(l, r.num_layers),
                          end = fmt::format("_l{}{}", l, reverse ? "_reverse" : ""),
                          way = reverse ? ", backwards" : "";
        const std::string into = fmt::format("{} → {}", below, here),
                          on = fmt::format("{} → {}", here, here);
        const auto add = [&](std::string_view part, std::string_view role) {
          all[fmt::format("{}.{}{}", r.name, part, end)] = fmt::format("{}{}", role, way);
        };
        add("weight_ih", into);
        add("weight_hh", on);
        add("bias_ih", "bias of " + into);
        add("bias_hh", "bias of " + on);
        add("weight_hr", "projection of " + here);
        for (const auto& [part, of] :
             {std::pair("ih", into), {"hh", on}, {"c", "the cell of " + here}})
          for (const char* kind : {"weight", "bias"})
            all[fmt::format("{}.layer_norm_{}{}.{}", r.name, part, end, kind)] =
                fmt::format("norm of {}{}", of, way);
      }
    for (const char* state : {".h_0", ".c_0"}) all[r.name + state] = "initial state";
    from = hidden(r.num_layers - 1, r.num_layers);
  }

  void operator()(const spec::LinearSpec& l) { add_product(l.name, &l); }
  void operator()(const spec::Conv2dSpec& c) { add_product(c.name, &c); }
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

}  // namespace unroll::app
