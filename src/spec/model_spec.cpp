#include "unroll/spec/model_spec.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/suggest.h"
#include "unroll/core/error.h"

namespace unroll::spec {
namespace {

constexpr std::string_view kFirstWeight = "weight_ih_l0";

bool has(const std::map<std::string, Sizes>& weights, const std::string& name, std::size_t rank) {
  const auto found = weights.find(name);
  return found != weights.end() && found->second.size() == rank;
}

[[noreturn]] void not_understood(std::string_view why) {
  throw FormatError("model", fmt::format("can't tell the architecture from the weights: {}", why));
}

}  // namespace

std::string_view name_of(Nonlinearity f) { return f == Nonlinearity::tanh ? "tanh" : "relu"; }

Nonlinearity nonlinearity_named(std::string_view name) {
  if (name == "tanh") return Nonlinearity::tanh;
  if (name == "relu") return Nonlinearity::relu;
  constexpr std::string_view known[] = {"relu", "tanh"};
  throw ValueError("activation", fmt::format("'{}' is not known, expected relu or tanh{}", name,
                                             did_you_mean(name, known)));
}

std::vector<std::pair<std::string, Sizes>> weights_of(const ModelSpec& spec) {
  std::vector<std::pair<std::string, Sizes>> all;
  for (std::int64_t l = 0; l < spec.num_layers; ++l) {
    const auto add = [&](const char* name, Sizes sizes) {
      all.emplace_back(fmt::format("{}.{}_l{}", spec.recurrent, name, l), std::move(sizes));
    };
    add("weight_ih", {spec.hidden_size, l == 0 ? spec.input_size : spec.hidden_size});
    add("weight_hh", {spec.hidden_size, spec.hidden_size});
    if (spec.bias) {
      add("bias_ih", {spec.hidden_size});
      add("bias_hh", {spec.hidden_size});
    }
  }
  all.emplace_back(spec.readout + ".weight", Sizes{spec.outputs, spec.hidden_size});
  all.emplace_back(spec.readout + ".bias", Sizes{spec.outputs});
  return all;
}

std::string differences(const ModelSpec& spec, const std::map<std::string, Sizes>& weights) {
  std::vector<std::string> found;
  const auto needed = weights_of(spec);
  for (const auto& [name, sizes] : needed) {
    const auto given = weights.find(name);
    if (given == weights.end())
      found.push_back(fmt::format("{} is missing", name));
    else if (given->second != sizes)
      found.push_back(fmt::format("{} has shape [{}], expected [{}]", name,
                                  fmt::join(given->second, ", "), fmt::join(sizes, ", ")));
  }
  for (const auto& [name, sizes] : weights)
    if (std::ranges::find(needed, name, [](const auto& n) { return n.first; }) == needed.end())
      found.push_back(fmt::format("{} is not part of the model", name));
  return fmt::format("{}", fmt::join(found, "; "));
}

ModelSpec from_weights(const std::map<std::string, Sizes>& weights, ModelSpec spec) {
  const auto first = std::ranges::find_if(weights, [](const auto& w) {
    return w.first.ends_with(std::string(".") + kFirstWeight.data());
  });
  if (first == weights.end())
    not_understood("no weight is called NAME.weight_ih_l0, as those of nn.RNN are");
  spec.recurrent = first->first.substr(0, first->first.size() - kFirstWeight.size() - 1);
  const std::string prefix = spec.recurrent + ".";
  if (!has(weights, prefix + "weight_ih_l0", 2) || !has(weights, prefix + "weight_hh_l0", 2))
    not_understood(
        fmt::format("{}weight_ih_l0 and {}weight_hh_l0 must be matrices", prefix, prefix));
  const Sizes& ih = weights.at(prefix + "weight_ih_l0");
  const Sizes& hh = weights.at(prefix + "weight_hh_l0");
  if (std::min({ih[0], ih[1], hh[0], hh[1]}) < 1)
    not_understood(fmt::format("{} has a weight without elements", spec.recurrent));
  spec.input_size = ih[1];
  spec.hidden_size = hh[1];
  if (hh[0] == 3 * hh[1] || hh[0] == 4 * hh[1])
    not_understood(fmt::format("{} has {} gates, so it is {}; only nn.RNN is supported yet",
                               spec.recurrent, hh[0] / hh[1],
                               hh[0] == 3 * hh[1] ? "a GRU" : "an LSTM"));
  spec.bias = weights.contains(prefix + "bias_ih_l0");
  spec.num_layers = 0;
  while (weights.contains(fmt::format("{}weight_ih_l{}", prefix, spec.num_layers)))
    ++spec.num_layers;
  // The readout: the one other layer with a weight.
  std::vector<std::string> others;
  for (const auto& [name, sizes] : weights)
    if (!name.starts_with(prefix) && name.ends_with(".weight"))
      others.push_back(name.substr(0, name.size() - std::string_view(".weight").size()));
  if (others.size() != 1)
    not_understood(
        fmt::format("beside {} there are {} layers with a weight ({}), expected one "
                    "linear readout",
                    spec.recurrent, others.size(), fmt::join(others, ", ")));
  spec.readout = others[0];
  spec.outputs =
      has(weights, spec.readout + ".weight", 2) ? weights.at(spec.readout + ".weight")[0] : 0;
  const std::string misfits = differences(spec, weights);
  if (!misfits.empty()) not_understood(misfits);
  return spec;
}

}  // namespace unroll::spec
