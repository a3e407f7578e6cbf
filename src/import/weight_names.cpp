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
std::string completed(std::string name, bool bare) {
  if (bare && is_recurrent(name)) name = "rnn." + name;
  if (bare && (name == "weight" || name == "bias")) name = "fc." + name;
  const std::string weight = name.substr(name.rfind('.') + 1);
  constexpr std::string_view kOfCells[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
  if (std::ranges::find(kOfCells, weight) != std::end(kOfCells)) name += "_l0";
  return name;
}

}  // namespace

WeightNames::WeightNames(const StateDict& state) : file_(state.name), has_order_(!state.file) {
  bare_ = std::ranges::none_of(
      state.arrays, [](const auto& array) { return array.name.find('.') != std::string::npos; });
  const auto take = [&](auto&& name_of) {
    arrays_.clear();
    order_.clear();
    for (const auto& array : state.arrays) {
      order_.push_back(name_of(array.name));
      arrays_[order_.back()] = &array;
    }
  };
  take([this](const std::string& name) { return completed(without_wrappers(name), bare_); });
  if (arrays_.size() < state.arrays.size()) take([](const std::string& name) { return name; });
  for (const auto& [name, array] : arrays_) shapes_[name] = array->shape;
}

std::vector<std::string> WeightNames::layers(const std::string& name,
                                             std::string_view weight) const {
  const std::string end = "." + std::string(weight);
  for (const std::string& exact : {name, without_wrappers(name)})
    if (arrays_.contains(exact + end)) return {exact};
  std::vector<std::string> found;
  for (const auto& [full, array] : arrays_)
    if (full.ends_with("." + name + end)) found.push_back(full.substr(0, full.size() - end.size()));
  const std::string bare = is_recurrent(weight) ? "rnn" : "fc";
  if (found.empty() && bare_ && arrays_.contains(bare + end)) found.push_back(bare);
  return found;
}

std::vector<std::string> WeightNames::layers_with(std::string_view weight) const {
  const std::string end = "." + std::string(weight);
  std::vector<std::string> found;
  for (const std::string& full : order_)
    if (full.ends_with(end)) found.push_back(full.substr(0, full.size() - end.size()));
  return found;
}

}  // namespace unroll::importer
