#include "import/weight_names.h"

#include <algorithm>

namespace unroll::importer {
namespace {

std::string without_wrappers(std::string_view name) {
  constexpr std::string_view kWrappers[] = {"module.", "_orig_mod.", "model."};
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view wrapper : kWrappers)
      if (name.starts_with(wrapper) && name.size() > wrapper.size()) {
        name.remove_prefix(wrapper.size());
        again = true;
      }
  }
  return std::string(name);
}

bool is_recurrent(std::string_view weight) {
  return weight.starts_with("weight_ih") || weight.starts_with("weight_hh") ||
         weight.starts_with("bias_ih") || weight.starts_with("bias_hh") ||
         weight.starts_with("weight_hr");
}

/// A bare layer's and a cell's weight as that of a layer with a name.
std::string completed(std::string name) {
  if (name.find('.') == std::string::npos) name = (is_recurrent(name) ? "rnn." : "fc.") + name;
  const std::string weight = name.substr(name.rfind('.') + 1);
  constexpr std::string_view kOfCells[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
  if (std::ranges::find(kOfCells, weight) != std::end(kOfCells)) name += "_l0";
  return name;
}

}  // namespace

WeightNames::WeightNames(const StateDict& state) {
  for (const auto& array : state.arrays) arrays_[completed(without_wrappers(array.name))] = &array;
  if (arrays_.size() < state.arrays.size()) {
    arrays_.clear();
    for (const auto& array : state.arrays) arrays_[array.name] = &array;
  }
  for (const auto& [name, array] : arrays_) {
    shapes_[name] = array->shape;
    bare_ = bare_ || array->name.find('.') == std::string::npos;
  }
}

std::optional<std::string> WeightNames::layer(const std::string& name,
                                              std::string_view weight) const {
  const std::string end = "." + std::string(weight);
  for (const std::string& exact : {name, without_wrappers(name)})
    if (arrays_.contains(exact + end)) return exact;
  std::optional<std::string> found;
  for (const auto& [full, array] : arrays_)
    if (full.ends_with("." + name + end)) {
      if (found) return std::nullopt;
      found = full.substr(0, full.size() - end.size());
    }
  if (found || !bare_) return found;
  const std::string bare = is_recurrent(weight) ? "rnn" : "fc";
  if (arrays_.contains(bare + end)) return bare;
  return std::nullopt;
}

}  // namespace unroll::importer
