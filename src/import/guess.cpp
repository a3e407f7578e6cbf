// An architecture that nobody gave: what names, shapes and their order in the file tell.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "import/architecture.h"
#include "spec/from_weights.h"

namespace unroll::importer {
namespace {

using Json = nlohmann::ordered_json;

/// Layers by the names and shapes of their weights, in the order of the file, which is nearly
/// always the one that the network's class names them in.
Json layers_in_order(const WeightNames& weights) {
  Json layers = Json::array();
  const auto add = [&](const std::string& name, std::string_view weight, std::string_view type) {
    layers.push_back({{"type", type}, {"name", name.substr(0, name.size() - weight.size())}});
  };
  for (const std::string& name : weights.in_order()) {
    const std::size_t dimensions = weights.shapes().at(name).size();
    if (name.ends_with(".weight_ih_l0")) {
      const std::string layer = name.substr(0, name.rfind('.'));
      add(name, ".weight_ih_l0",
          spec::name_of(spec::recurrent_from_weights(weights.shapes(), layer, {}).cell));
    } else if (name.ends_with(".weight") && (dimensions == 2 || dimensions == 4)) {
      add(name, ".weight", dimensions == 2 ? "linear" : "conv2d");
    }
  }
  return layers;
}

/// The layers in the file's order, with activations to ask for between linear ones, if each reads
/// what the one before gives.
std::optional<Json> fitting_in_order(const WeightNames& weights) {
  Json layers = Json::array();
  std::int64_t features = 0;  // that the layer before gives
  std::string before;         // its type
  try {
    for (const Json& layer : layers_in_order(weights)) {
      const auto type = layer.at("type").get<std::string>();
      const auto name = layer.at("name").get<std::string>();
      std::int64_t reads = 0, gives = 0;
      if (type == "linear") {
        const spec::Sizes& shape = weights.shapes().at(name + ".weight");
        reads = shape[1];
        gives = shape[0];
        // Two readouts side by side.
        if (!before.empty() && before != "linear" && reads == 2 * features) features = reads;
        if (before == "linear") layers.push_back({{"type", "activation"}});
      } else if (type != "conv2d") {
        const auto r = spec::recurrent_from_weights(weights.shapes(), name, {});
        reads = r.input_size;
        gives = r.features();
      }
      if (reads == 0 || (!before.empty() && reads != features)) return {};
      features = gives;
      before = type;
      layers.push_back(layer);
    }
  } catch (const FormatError&) {
    return {};
  }
  if (layers.empty()) return {};
  return layers;
}

/// As from_weights understood it, with what it could only assume left open.
Json layers_of(const spec::ModelSpec& guess) {
  Json layers = Json::array();
  for (const spec::LayerSpec& layer : guess.layers) {
    if (const auto* r = std::get_if<spec::RecurrentSpec>(&layer)) {
      layers.push_back({{"type", spec::name_of(r->cell)}, {"name", r->name}});
    } else if (const auto* l = std::get_if<spec::LinearSpec>(&layer)) {
      layers.push_back({{"type", "linear"}, {"name", l->name}});
    } else {
      layers.push_back({{"type", "activation"}});
    }
  }
  return layers;
}

std::string file_of(const Json& layers) {
  Json file = Json::object();
  file["layers"] = layers;
  return file.dump();
}

/// Whether the layers might as well come in another order.
bool is_order_open(const Json& layers) {
  std::size_t named = 0;
  for (const Json& layer : layers) named += layer.contains("name");
  return named > 2 || (named == 2 && layers[0].at("type") == "linear");
}

Architecture complete(const Json& layers, const WeightNames& weights, std::string_view order) {
  try {
    return read_architecture(file_of(layers), weights, weights.file());
  } catch (const OpenQuestions& open) {
    if (!is_order_open(layers)) throw;
    const std::string_view text = open.what();
    throw OpenQuestions(fmt::format("{}; nor do they say the order of the layers, which here is {}",
                                    text.substr(text.find("] ") + 2), order),
                        open.architecture());
  }
}

}  // namespace

Architecture guess_architecture(const WeightNames& weights) {
  if (weights.has_order())
    if (const auto layers = fitting_in_order(weights))
      return complete(*layers, weights, "the file's, a guess");
  Json layers;
  try {
    layers = layers_of(spec::from_weights(weights.shapes(), {}));
  } catch (const FormatError& error) {
    layers = layers_in_order(weights);
    if (layers.empty()) throw;
    throw OpenQuestions(
        fmt::format("{}; bring the layers into the network's order and add what has "
                    "no weights: activations, residual connections, scaling",
                    error.what()),
        with_questions(file_of(layers), weights));
  }
  return complete(layers, weights, "one in which their sizes fit, a guess");
}

}  // namespace unroll::importer
