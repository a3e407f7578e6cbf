// Derives a model from the names and shapes of its weights.
#include "spec/from_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/list_text.h"
#include "spec/cells.h"
#include "spec/layer_weights.h"
#include "spec/limits.h"
#include "unroll/core/error.h"

namespace unroll::spec {
namespace {

using Weights = std::map<std::string, Sizes>;

[[noreturn]] void not_understood(std::string_view why) {
  throw FormatError("model", fmt::format("can't tell the architecture from the weights: {}", why));
}

/// The shape of a weight that must be a matrix, not empty and not too large.
const Sizes& matrix(const Weights& weights, const std::string& name,
                    const Sizes* instead = nullptr) {
  constexpr std::int64_t kLargest = std::int64_t{1} << 31;
  const auto found = weights.find(name);
  if (!instead && found == weights.end()) not_understood(fmt::format("{} is missing", name));
  const Sizes& sizes = instead ? *instead : found->second;
  if (sizes.size() != 2 || std::ranges::min(sizes) < 1 || std::ranges::max(sizes) > kLargest)
    not_understood(
        fmt::format("{} has shape [{}], expected a matrix", name, fmt::join(sizes, ", ")));
  return sizes;
}

/// Removes the leading digits of a name and returns them without leading zeros.
std::string_view take_number(std::string_view& name) {
  const std::size_t end = std::min(name.find_first_not_of("0123456789"), name.size());
  std::string_view digits = name.substr(0, end);
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  name.remove_prefix(end);
  return digits;
}

std::vector<std::string> recurrent_names(const Weights& weights) {
  const std::string first = "." + weight_name(WeightRole::weight_ih, 0);
  std::vector<std::string> names;
  for (const auto& [name, sizes] : weights)
    if (name.ends_with(first)) names.push_back(name.substr(0, name.size() - first.size()));
  if (names.size() > kMostLayers)
    not_understood(
        fmt::format("{} recurrent layers, expected at most {}", names.size(), kMostLayers));
  std::ranges::sort(names, natural_before);
  return names;
}

/// All layers with a weight that are not part of a recurrent layer, by name.
std::vector<LinearSpec> linear_layers(const Weights& weights,
                                      const std::vector<std::string>& recurrent) {
  constexpr std::string_view kWeight = ".weight";
  std::set<std::string_view> others;
  for (const auto& [name, sizes] : weights) others.insert(others.end(), name);
  for (const std::string& layer : recurrent)  // '/' comes after '.'
    others.erase(others.lower_bound(layer + "."), others.lower_bound(layer + "/"));
  std::vector<LinearSpec> layers;
  for (const auto& [name, sizes] : weights) {
    if (!name.ends_with(kWeight) || !others.contains(name)) continue;
    const std::string layer = name.substr(0, name.size() - kWeight.size());
    if (sizes.size() == 4)
      not_understood(
          fmt::format("{} looks like a convolution; weights do not tell its stride, padding and "
                      "pooling; give a file that Unroll wrote",
                      name));
    const Sizes& shape = matrix(weights, name);
    layers.push_back({layer, shape[1], shape[0], weights.contains(layer + ".bias")});
  }
  std::ranges::sort(layers, natural_before, &LinearSpec::name);
  return layers;
}

/// The input size of a perceptron: the one that no other layer gives.
std::int64_t first_features(const std::vector<LinearSpec>& layers) {
  for (const LinearSpec& layer : layers)
    if (std::ranges::find(layers, layer.in_features, &LinearSpec::out_features) == layers.end())
      return layer.in_features;
  return layers.front().in_features;
}

/// The image input that fits the first layer.
ImageInput images_of(const Features& reads, const Assumed& assumed) {
  ImageInput input{.mean = assumed.mean, .std = assumed.std};
  const bool one = reads.width == 1;
  if (reads.kind == Features::Kind::vector)
    input.form = Form::flat, input.height = 1, input.width = reads.width;
  else
    input.form = one ? Form::pixels : Form::rows, input.width = one ? 0 : reads.width;
  return input;
}

/// Appends the layers in the order in which their sizes fit. If several fit, the first by name is
/// next.
void append_chain(ModelSpec& spec, std::vector<LinearSpec> layers, std::int64_t features,
                  Activation between) {
  for (bool first = true; !layers.empty(); first = false) {
    const auto next = std::ranges::find(layers, features, &LinearSpec::in_features);
    if (next == layers.end()) {
      std::vector<std::string> left;
      for (const LinearSpec& layer : layers)
        left.push_back(fmt::format("{} reads {}", layer.name, layer.in_features));
      not_understood(
          fmt::format("no linear layer reads {} features ({})", features, fmt::join(left, ", ")));
    }
    if (!first) spec.layers.emplace_back(ActivationSpec{between});
    features = next->out_features;
    spec.layers.emplace_back(std::move(*next));
    layers.erase(next);
  }
}

/// The first cell with this number of gates, or null. Bare weights show only the number.
const CellInfo* cell_of_gates(std::int64_t gates) {
  for (const CellInfo& cell : cells())
    if (static_cast<std::int64_t>(cell.traits().gates) == gates) return &cell;
  return nullptr;
}

/// The rows of weight_hh in each cell: "8 (nn.RNN), 24 (nn.GRU) or 32 (nn.LSTM)" for 8 units.
std::string rows_of_all_cells(std::int64_t hidden_size) {
  std::multimap<std::size_t, const CellInfo*> all;  // cells by number of gates
  for (const CellInfo& cell : cells()) all.emplace(cell.traits().gates, &cell);
  std::vector<std::string> items;
  for (const auto& [gates, cell] : all)
    items.push_back(
        fmt::format("{} ({})", static_cast<std::int64_t>(gates) * hidden_size, cell->torch));
  return text_with_or(items);
}

}  // namespace

bool natural_before(std::string_view a, std::string_view b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  while (!a.empty() && !b.empty()) {
    if (is_digit(a[0]) && is_digit(b[0])) {
      const std::string_view x = take_number(a), y = take_number(b);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else {
      if (a[0] != b[0]) return a[0] < b[0];
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return a.size() < b.size();
}

RecurrentSpec recurrent_from_weights(const Weights& weights, const std::string& name,
                                     const Assumed& assumed, const Sizes* weight_hh_shape) {
  RecurrentSpec r;
  r.name = name;
  const auto name_of_weight = [&](WeightRole role, std::int64_t l = 0, std::int64_t d = 0) {
    return fmt::format("{}.{}", name, weight_name(role, l, d));
  };
  const auto has = [&](WeightRole role, std::int64_t l = 0, std::int64_t d = 0) {
    return weights.contains(name_of_weight(role, l, d));
  };
  using enum WeightRole;
  const Sizes& hh = matrix(weights, name_of_weight(weight_hh), weight_hh_shape);
  const bool projected = has(weight_hr);
  r.hidden_size = projected ? matrix(weights, name_of_weight(weight_hr))[1] : hh[1];
  r.proj_size = projected ? hh[1] : 0;
  r.input_size = matrix(weights, name_of_weight(weight_ih))[1];
  const CellInfo* const cell =
      hh[0] % r.hidden_size == 0 ? cell_of_gates(hh[0] / r.hidden_size) : nullptr;
  if (!cell)
    not_understood(fmt::format("{} has {} rows for {} hidden units, expected {}",
                               name_of_weight(weight_hh), hh[0], r.hidden_size,
                               rows_of_all_cells(r.hidden_size)));
  r.cell = *find_cell(cell->name);
  if (cell->has_nonlinearity()) {
    if (assumed.activation == Activation::sigmoid)
      throw ValueError("activation",
                       fmt::format("sigmoid is given, but {} is an {}, expected relu or tanh", name,
                                   cell->torch));
    r.nonlinearity =
        assumed.activation == Activation::tanh ? Nonlinearity::tanh : Nonlinearity::relu;
  }
  r.bias = has(bias_ih);
  r.bidirectional = has(weight_ih, 0, 1);
  r.layer_norm = has(norm_ih_weight);
  r.learn_initial_state = weights.contains(name + ".h_0");
  r.num_layers = 0;
  while (has(weight_ih, r.num_layers)) ++r.num_layers;
  return r;
}

ModelSpec from_weights(const Weights& weights, const Assumed& assumed) {
  const std::vector<std::string> recurrent = recurrent_names(weights);
  const std::vector<LinearSpec> linear = linear_layers(weights, recurrent);
  // More layers are not allowed in a description (features_of), and ordering them would take long.
  if (linear.size() > kMostLayers)
    not_understood(
        fmt::format("{} linear layers, expected at most {}", linear.size(), kMostLayers));
  if (linear.empty() && recurrent.empty())
    not_understood(
        "no weight is called NAME.weight_ih_l0 (as in nn.RNN) or NAME.weight (as in nn.Linear)");
  ModelSpec spec;
  std::int64_t features = 0;
  if (recurrent.empty()) {
    features = first_features(linear);
    spec.input = VectorInput{.features = features};
  } else {
    for (const std::string& name : recurrent) {
      RecurrentSpec r = recurrent_from_weights(weights, name, assumed);
      if (!spec.layers.empty()) {
        auto& below = std::get<RecurrentSpec>(spec.layers.back());
        below.readout = Readout::every_step;
        if (r.input_size != below.features())
          not_understood(fmt::format("{} gives {} features, {} reads {}", below.name,
                                     below.features(), name, r.input_size));
      }
      spec.layers.emplace_back(std::move(r));
    }
    auto& r = std::get<RecurrentSpec>(spec.layers.back());
    if (std::ranges::find(linear, 2 * r.features(), &LinearSpec::in_features) != linear.end() &&
        std::ranges::find(linear, r.features(), &LinearSpec::in_features) == linear.end())
      r.readout = Readout::mean_last;
    features = r.features();
    spec.input = SeriesInput{.features = std::get<RecurrentSpec>(spec.layers.front()).input_size};
  }
  if (assumed.pixels) spec.input = images_of(features_of(spec.input), assumed);
  append_chain(spec, linear, features, assumed.activation);
  const std::string misfits = differences(spec, weights);
  if (!misfits.empty()) not_understood(misfits);
  features_of(spec);
  return spec;
}

}  // namespace unroll::spec
