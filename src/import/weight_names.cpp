#include "import/weight_names.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "spec/layer_weights.h"

namespace unroll::importer {
namespace {

using Names = std::vector<std::string>;

/// Modules that hold another one and add nothing to it.
constexpr std::array<std::string_view, 5> kWrappers = {
    "module", "_orig_mod", "_forward_module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"};
constexpr std::string_view kHolder = "model";  // a usual wrapper, but only of the whole model

bool is_wrapper(std::string_view part) {
  return std::ranges::find(kWrappers, part) != kWrappers.end();
}

/// Removes the last part of a name with dots, and returns it.
std::string_view take_last(std::string_view& name) {
  const auto dot = name.rfind('.');
  const std::string_view last = name.substr(dot + 1);
  name = dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
  return last;
}

/// The name without wrappers in front, but with at least its last part.
std::string without_front(std::string_view name) {
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    const std::string_view part = name.substr(0, dot);
    if (!is_wrapper(part) && part != kHolder) break;
    name.remove_prefix(dot + 1);
  }
  return std::string(name);
}

bool is_all_wrappers(std::string_view name) {
  while (!name.empty())
    if (const auto part = take_last(name); !is_wrapper(part) && part != kHolder) return false;
  return true;
}

/// The name without wrappers anywhere, but with at least its last part.
std::string without_wrappers(std::string_view name) {
  std::string result;
  for (std::string_view rest = name; !rest.empty();) {
    const std::string_view part = take_last(rest);
    if (!is_wrapper(part)) result = std::string(part) + (result.empty() ? "" : ".") + result;
  }
  return result.empty() ? without_front(name) : without_front(result);
}

/// How far `full` is from `name`: 0 for the same name, kNotMeant if `name` can't mean it.
/// Example: self.rnn = torch.compile(nn.LSTM(...)) in DataParallel is "module.rnn._orig_mod".
constexpr int kNotMeant = 5;
int distance(std::string_view full, std::string_view name) {
  if (full == name) return 0;
  bool wrapped = false;  // a wrapper stands behind or inside the name
  while (!name.empty()) {
    if (full.empty()) return kNotMeant;
    std::string_view rest = name;
    const std::string_view mine = take_last(rest);
    // Stop early if the part is longer than `mine` and every wrapper: it can't match.
    constexpr std::size_t kLongestWrapper = 32;
    const std::size_t longest = std::max(mine.size(), kLongestWrapper);
    if (full.size() > longest && full.find('.', full.size() - longest - 1) == full.npos)
      return kNotMeant;
    const std::string_view theirs = take_last(full);
    if (mine == theirs)
      name = rest;
    else if (is_wrapper(theirs))
      wrapped = true;
    else
      return kNotMeant;
  }
  return (wrapped ? 3 : 1) + (is_all_wrappers(full) ? 0 : 1);
}

/// The names in `there` that are closest to `name`.
Names meant(const Names& there, const std::string& name) {
  for (const std::string& wanted : {name, without_front(name)}) {
    Names found;
    int best = kNotMeant;
    for (const std::string& full : there) {
      const int here = distance(full, wanted);
      if (here < best) found.clear();
      best = std::min(best, here);
      if (here == best && best < kNotMeant) found.push_back(full);
    }
    if (!found.empty()) return found;
  }
  return {};
}

// The weights of nn.RNNCell, nn.LSTMCell and nn.GRUCell.
constexpr std::array kOfCells = {WeightRole::weight_ih, WeightRole::weight_hh, WeightRole::bias_ih,
                                 WeightRole::bias_hh};

bool belongs_to_recurrent(std::string_view weight) {
  const auto is = [&](WeightRole role) { return weight.starts_with(spec::stem_of(role)); };
  return std::ranges::any_of(kOfCells, is) || is(WeightRole::weight_hr);
}

/// The name of a weight with the layer name that a bare layer lacks, and the "_l0" that a cell
/// lacks.
std::string completed(std::string name, bool bare) {
  if (bare && belongs_to_recurrent(name)) name = "rnn." + name;
  if (bare && (name == "weight" || name == "bias")) name = "fc." + name;
  const std::string weight = name.substr(name.rfind('.') + 1);
  for (const WeightRole role : kOfCells)
    if (weight == spec::stem_of(role)) return name + "_l0";
  return name;
}

/// Whether all tensors belong to one layer, whose name consists of wrappers only.
bool is_bare_layer(const Names& tensors, const std::string& layer) {
  return is_all_wrappers(layer) && std::ranges::all_of(tensors, [&](const std::string& name) {
           return name.starts_with(layer + ".") &&
                  name.find('.', layer.size() + 1) == std::string::npos;
         });
}

}  // namespace

WeightNames::WeightNames(const StateDict& state)
    : file_(state.name), given_(without_weight_norm(state.arrays)), has_order_(!state.file) {
  bare_ = std::ranges::none_of(
      given_.arrays, [](const auto& array) { return array.name.find('.') != std::string::npos; });
  const auto take = [&](auto&& name_of) {
    arrays_.clear();
    order_.clear();
    for (const auto& array : given_.arrays) {
      order_.push_back(name_of(array.name));
      arrays_[order_.back()] = &array;
    }
  };
  take([&](const std::string& name) { return completed(name, bare_); });
  if (arrays_.size() < given_.arrays.size()) take([](const std::string& name) { return name; });
  for (const auto& [name, array] : arrays_) {
    shapes_[name] = array->shape;
    has_recurrent_ = has_recurrent_ || name.ends_with(".weight_ih_l0");
  }
}

std::vector<std::string> WeightNames::tensors(const std::string& name) const {
  if (arrays_.contains(name)) return {name};
  return meant(order_, name);
}

const std::vector<std::string>& WeightNames::layers(const std::string& name,
                                                    std::string_view weight) const {
  const std::string whole = name + "." + std::string(weight);
  const auto [at, is_new] = layers_.try_emplace(whole);
  std::vector<std::string>& found = at->second;
  if (!is_new) return found;
  if (arrays_.contains(whole)) {
    found = {name};
    return found;
  }
  const std::vector<std::string>& there = layers_with(weight);
  found = meant(there, name);
  if (found.empty() && there.size() == 1 && (bare_ || is_bare_layer(order_, there[0])))
    found = there;
  return found;
}

const std::vector<std::string>& WeightNames::layers_with(std::string_view weight) const {
  const auto [at, is_new] = layers_with_.try_emplace(std::string(weight));
  std::vector<std::string>& found = at->second;
  if (!is_new) return found;
  const std::string end = "." + std::string(weight);
  for (const std::string& full : order_)
    if (full.ends_with(end)) found.push_back(full.substr(0, full.size() - end.size()));
  return found;
}

std::map<std::string_view, std::string_view> WeightNames::parts_of(
    const std::set<std::string>& layers) const {
  std::vector<std::pair<std::string, std::string_view>> starts;  // ("rnn.", layer), sorted
  for (const std::string& layer : layers) starts.emplace_back(layer + ".", layer);
  std::ranges::sort(starts);
  std::map<std::string_view, std::string_view> parts;
  std::vector<std::size_t> open;  // layers that the current name is in, the innermost last
  std::size_t next = 0;
  for (const auto& [name, array] : arrays_) {
    for (; next < starts.size() && starts[next].first <= name; ++next)
      if (name.starts_with(starts[next].first)) open.push_back(next);
    while (!open.empty() && !name.starts_with(starts[open.back()].first)) open.pop_back();
    if (!open.empty()) parts.emplace_hint(parts.end(), name, starts[open.back()].second);
  }
  return parts;
}

std::string WeightNames::short_name(const std::string& layer, std::string_view weight) const {
  std::string name = without_wrappers(layer);
  if (is_wrapper(name))
    name = belongs_to_recurrent(weight) ? "rnn" : "fc";  // nothing else is left of the name
  return layers(name, weight) == std::vector<std::string>{layer} ? name : layer;
}

}  // namespace unroll::importer
