// The JSON form of a description.
#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "spec/cells.h"
#include "spec/input_json.h"
#include "spec/json_reader.h"
#include "spec/table.h"
#include "unroll/core/error.h"
#include "unroll/spec/model_spec.h"

namespace unroll::spec {
namespace {

// Every kind of layer, written and read. Keep the two functions of a kind alike.

Json json_of(Size2d e) { return Json::array({e.height, e.width}); }

Json json_of(const RecurrentSpec& r) {
  const CellInfo& cell = info_of(r);
  Json json = object_of({{"type", cell.name},
                         {"name", r.name},
                         {"input_size", r.input_size},
                         {"hidden_size", r.hidden_size},
                         {"num_layers", r.num_layers}});
  if (cell.has_nonlinearity()) json["nonlinearity"] = name_of(r.nonlinearity);
  if (cell.has_projection) json["proj_size"] = r.proj_size;
  json["bidirectional"] = r.bidirectional;
  json["bias"] = r.bias;
  json["layer_norm"] = r.layer_norm;
  json["zoneout_h"] = r.zoneout_h;
  if (cell.has_memory()) json["zoneout_c"] = r.zoneout_c;
  json["learn_initial_state"] = r.learn_initial_state;
  json["readout"] = name_of(r.readout);
  return json;
}

RecurrentSpec recurrent_from(Reader& json, Cell which) {
  const CellInfo& cell = info_of(which);
  RecurrentSpec r;
  r.cell = which;
  r.name = json.get<std::string>("name");
  r.input_size = json.whole("input_size");
  r.hidden_size = json.whole("hidden_size");
  r.num_layers = json.whole("num_layers");
  if (cell.has_nonlinearity()) r.nonlinearity = json.named("nonlinearity", nonlinearity_named);
  if (cell.has_projection) r.proj_size = json.whole("proj_size");
  r.bidirectional = json.get<bool>("bidirectional");
  r.bias = json.get<bool>("bias");
  r.layer_norm = json.get<bool>("layer_norm");
  r.zoneout_h = json.real("zoneout_h");
  if (cell.has_memory()) r.zoneout_c = json.real("zoneout_c");
  r.learn_initial_state = json.get<bool>("learn_initial_state");
  r.readout = json.named("readout", readout_named);
  return r;
}

Json json_of(const LinearSpec& l) {
  return object_of({{"type", "linear"},
                    {"name", l.name},
                    {"in_features", l.in_features},
                    {"out_features", l.out_features},
                    {"bias", l.bias}});
}

LinearSpec linear_from(Reader& json) {
  return {json.get<std::string>("name"), json.whole("in_features"), json.whole("out_features"),
          json.get<bool>("bias")};
}

Json json_of(const ActivationSpec& a) {
  return object_of({{"type", "activation"}, {"function", name_of(a.function)}});
}

Json json_of(const Conv1dSpec& c) {
  return object_of({{"type", "conv1d"},
                    {"name", c.name},
                    {"in_channels", c.in_channels},
                    {"out_channels", c.out_channels},
                    {"kernel", c.windows.kernel},
                    {"stride", c.windows.stride},
                    {"padding", c.windows.padding},
                    {"dilation", c.windows.dilation},
                    {"causal", c.windows.causal},
                    {"groups", c.groups},
                    {"bias", c.bias}});
}

Conv1dSpec conv1d_from(Reader& json) {
  return {json.get<std::string>("name"),
          json.whole("in_channels"),
          json.whole("out_channels"),
          {json.whole("kernel"), json.whole("stride"), json.whole("padding"),
           json.whole("dilation"), json.get<bool>("causal")},
          json.whole("groups"),
          json.get<bool>("bias")};
}

Json json_of(const Conv2dSpec& c) {
  return object_of({{"type", "conv2d"},
                    {"name", c.name},
                    {"in_channels", c.in_channels},
                    {"out_channels", c.out_channels},
                    {"kernel", json_of(c.kernel)},
                    {"stride", json_of(c.stride)},
                    {"padding", json_of(c.padding)},
                    {"bias", c.bias}});
}

Conv2dSpec conv2d_from(Reader& json) {
  return {json.get<std::string>("name"), json.whole("in_channels"), json.whole("out_channels"),
          json.extent("kernel"),         json.extent("stride"),     json.extent("padding"),
          json.get<bool>("bias")};
}

Json json_of(const MaxPool2dSpec& p) {
  return object_of({{"type", "max_pool2d"},
                    {"kernel", json_of(p.kernel)},
                    {"stride", json_of(p.stride)},
                    {"padding", json_of(p.padding)}});
}

MaxPool2dSpec max_pool2d_from(Reader& json) {
  return {json.extent("kernel"), json.extent("stride"), json.extent("padding")};
}

Json json_of(const FlattenSpec&) { return object_of({{"type", "flatten"}}); }

Json json_of(const ScaleSpec& s) {
  return object_of({{"type", "scale"}, {"mean", s.mean}, {"std", s.std}});
}

ScaleSpec scale_from(Reader& json) { return {json.reals("mean"), json.reals("std")}; }

Json json_of(const EmbeddingSpec& e) {
  return object_of({{"type", "embedding"},
                    {"name", e.name},
                    {"num_embeddings", e.num_embeddings},
                    {"embedding_dim", e.embedding_dim}});
}

EmbeddingSpec embedding_from(Reader& json) {
  return {json.get<std::string>("name"), json.whole("num_embeddings"), json.whole("embedding_dim")};
}

Json json_of(const LayerNormSpec& n) {
  return object_of({{"type", "layer_norm"},
                    {"name", n.name},
                    {"features", n.features},
                    {"eps", n.eps},
                    {"elementwise_affine", n.elementwise_affine},
                    {"bias", n.bias}});
}

LayerNormSpec layer_norm_from(Reader& json) {
  return {json.get<std::string>("name"), json.whole("features"), json.real("eps"),
          json.get<bool>("elementwise_affine"), json.get<bool>("bias")};
}

Json json_of(const ResidualSpec& r) { return object_of({{"type", "residual"}, {"over", r.over}}); }

LayerSpec layer_from(const Json& layer) {
  Reader json(layer);
  const auto type = json.get<std::string>("type");
  LayerSpec spec = [&]() -> LayerSpec {
    if (const auto cell = find_cell(type)) return recurrent_from(json, *cell);
    if (type == "linear") return linear_from(json);
    if (type == "activation") return ActivationSpec{json.named("function", activation_named)};
    if (type == "conv1d") return conv1d_from(json);
    if (type == "conv2d") return conv2d_from(json);
    if (type == "max_pool2d") return max_pool2d_from(json);
    if (type == "flatten") return FlattenSpec{};
    if (type == "scale") return scale_from(json);
    if (type == "embedding") return embedding_from(json);
    if (type == "layer_norm") return layer_norm_from(json);
    if (type == "residual") return ResidualSpec{json.whole("over")};
    fail(fmt::format("the layer type '{}' is not known", type));
  }();
  json.done();
  return spec;
}

/// Version 1: a plain recurrent layer over rows, and a linear layer on its last state.
ModelSpec from_version_1(Reader& json) {
  if (const auto kind = json.get<std::string>("kind"); kind != "rnn")
    fail(fmt::format("the model kind '{}' is not known", kind));
  ModelSpec spec;
  RecurrentSpec r;
  r.name = json.get<std::string>("recurrent");
  r.input_size = json.whole("input_size");
  r.hidden_size = json.whole("hidden_size");
  r.num_layers = json.whole("num_layers");
  r.bias = json.get<bool>("bias");
  r.nonlinearity = json.named("nonlinearity", nonlinearity_named);
  const LinearSpec readout{json.get<std::string>("readout"), r.hidden_size, json.whole("outputs")};
  ImageInput input;
  input.height = json.whole("steps");
  input.width = r.input_size;
  input.mean = json.real("input_mean");
  input.std = json.real("input_std");
  spec.input = input;
  spec.layers = {r, readout};
  return spec;
}

/// The oldest version that can express the model.
int version_of(const ModelSpec& spec) {
  int version = std::max(spec.table ? 5 : 2, version_of_input(spec));
  for (const LayerSpec& layer : spec.layers) {
    if (std::holds_alternative<ScaleSpec>(layer) || std::holds_alternative<ResidualSpec>(layer))
      version = std::max(version, 3);
    if (std::holds_alternative<EmbeddingSpec>(layer) ||
        std::holds_alternative<LayerNormSpec>(layer))
      version = std::max(version, 4);
    const auto* activation = std::get_if<ActivationSpec>(&layer);
    if (std::holds_alternative<Conv1dSpec>(layer) ||
        (activation && activation->function == Activation::symlog))
      version = std::max(version, 5);
  }
  return version;
}

}  // namespace

DamagedDescription::DamagedDescription(std::string_view cause)
    : FormatError("model", fmt::format("the model's description is damaged: {}; save the model "
                                       "again, or take another copy of the file",
                                       cause)),
      cause_(cause) {}

std::string to_json(const ModelSpec& spec) {
  Json layers = Json::array();
  for (const LayerSpec& layer : spec.layers)
    layers.push_back(std::visit([](const auto& l) { return json_of(l); }, layer));
  const int version = version_of(spec);
  Json json = object_of({{"version", version},
                         {"input", json_of(spec.input, version)},
                         {"layers", layers},
                         {"output", name_of(spec.output)},
                         {"dataset", spec.dataset},
                         {"classes", spec.classes}});
  if (spec.table) json["table"] = json_of(*spec.table);
  return json.dump();
}

ModelSpec from_json(std::string_view text) {
  constexpr std::size_t kLongest = 1 << 20;
  if (text.size() > kLongest)
    fail(fmt::format("it has {} bytes, expected at most {}", text.size(), kLongest));
  const Json json = parse_json(text, fail);
  if (!json.is_object()) fail("it is not a JSON object");
  Reader reader(json);
  const std::int64_t version = reader.whole("version");
  if (version < 1) fail("'version' is 0");
  if (version > ModelSpec::version)
    throw FormatError("model",
                      fmt::format("the model was written by a newer version of Unroll (format {}, "
                                  "this program reads up to {}); update Unroll",
                                  version, ModelSpec::version));
  ModelSpec spec;
  if (version == 1) {
    spec = from_version_1(reader);
  } else {
    const Json& layers = reader.at("layers");
    if (!layers.is_array()) fail("'layers' is not a list");
    for (const Json& layer : layers) spec.layers.push_back(layer_from(layer));
    spec.output = reader.named("output", output_named);
  }
  spec.dataset = reader.get<std::string>("dataset");
  spec.classes = reader.get<std::vector<std::string>>("classes");
  if (version > 1) spec.input = input_from(reader.at("input"), version, spec);
  if (version > 4 && reader.has("table")) spec.table = table_from(reader.at("table"));
  reader.done();
  features_of(spec);
  return spec;
}

bool same_description(std::string_view a, std::string_view b) {
  return a == b || from_json(a) == from_json(b);
}

}  // namespace unroll::spec
