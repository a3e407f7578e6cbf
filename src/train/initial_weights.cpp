#include "train/initial_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/list_text.h"
#include "core/printable.h"
#include "spec/layer_name.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

const spec::LayerSpec* find_layer(const spec::ModelSpec& spec, const std::string& name) {
  const auto found = std::ranges::find_if(spec.layers, [&](const spec::LayerSpec& layer) {
    const std::string* own = spec::name_of_layer(layer);
    return own && *own == name;
  });
  return found == spec.layers.end() ? nullptr : &*found;
}

/// The name of the last layer with weights.
std::string last_layer(const spec::ModelSpec& spec) {
  std::string last;
  for (const spec::LayerSpec& layer : spec.layers)
    if (const std::string* name = spec::name_of_layer(layer)) last = *name;
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
    const std::string* const own = spec::name_of_layer(layer);
    if (!own) continue;
    const std::string& name = *own;
    const spec::LayerSpec* const other = find_layer(from.spec, name);
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
