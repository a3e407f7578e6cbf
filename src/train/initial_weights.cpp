#include "train/initial_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <variant>

#include "core/list_text.h"
#include "core/printable.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

/// The name of a layer with weights; empty for others.
std::string name_of_layer(const spec::LayerSpec& layer) {
  return std::visit(
      []<class L>(const L& l) {
        if constexpr (requires { l.name; })
          return std::string(l.name);
        else
          return std::string();
      },
      layer);
}

const spec::LayerSpec* find_layer(const spec::ModelSpec& spec, const std::string& name) {
  const auto found = std::ranges::find(spec.layers, name, name_of_layer);
  return found == spec.layers.end() ? nullptr : &*found;
}

/// The name of the last layer with weights.
std::string last_layer(const spec::ModelSpec& spec) {
  std::string last;
  for (const spec::LayerSpec& layer : spec.layers)
    if (const std::string name = name_of_layer(layer); !name.empty()) last = name;
  return last;
}

std::string text_of(const Shape& shape) {
  std::string text;
  for (const std::int64_t size : shape)
    text += fmt::format("{}{}", text.empty() ? "" : " x ", size);
  return text;
}

/// Refuses layers of the same name that differ, other than the last one.
void check_layers(const InitialWeights& from, const spec::ModelSpec& spec,
                  const Parameters& parameters) {
  const std::string last = last_layer(spec);
  for (const spec::LayerSpec& layer : spec.layers) {
    const std::string name = name_of_layer(layer);
    const spec::LayerSpec* const other = name.empty() ? nullptr : find_layer(from.spec, name);
    if (!other || *other == layer || name == last) continue;
    std::string how = "has other settings there";
    for (const Parameter& p : parameters)
      if (const auto there = std::ranges::find(from.weights, p.name, &Parameter::name);
          p.name.starts_with(name + ".") && there != from.weights.end() &&
          there->value.shape() != p.value.shape()) {
        how = fmt::format("is {} there, {} here ({})", text_of(there->value.shape()),
                          text_of(p.value.shape()), printable(p.name));
        break;
      }
    throw ValueError("init-from", fmt::format("the layer {} of {} {}; give the settings of that "
                                              "model, or leave --init-from out",
                                              printable(name), printable(from.name), how));
  }
}

}  // namespace

std::vector<std::string> begin_with(const InitialWeights& from, const spec::ModelSpec& spec,
                                    const Parameters& parameters) {
  check_layers(from, spec, parameters);
  std::vector<std::string> kept;
  for (const Parameter& p : parameters) {
    const auto there = std::ranges::find(from.weights, p.name, &Parameter::name);
    if (there != from.weights.end() && there->value.shape() == p.value.shape())
      copy_into(p.value.detach(), there->value.to(p.value.dtype()));
    else
      kept.push_back(p.name);
  }
  if (kept.size() < parameters.size()) return kept;
  ListText here;
  for (const Parameter& p : parameters) here.add(printable(p.name));
  throw ValueError("init-from", fmt::format("{} has no weight with a name and a shape of this "
                                            "model, which has {}",
                                            printable(from.name), here.text()));
}

}  // namespace unroll::train
