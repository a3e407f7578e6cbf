// The description's JSON form.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/json.h"
#include "unroll/core/error.h"
#include "unroll/spec/model_spec.h"

namespace unroll::spec {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void fail(std::string_view why) {
  throw FormatError("model", fmt::format("the model's description is damaged: {}; save the model "
                                         "again, or take another copy of the file",
                                         why));
}

/// An object of which every member must be asked for, and every one asked for must be there.
class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {
    if (!json.is_object()) fail("something is not a JSON object");
  }

  const Json& at(const char* key) {
    const auto found = json_.find(key);
    if (found == json_.end()) fail(fmt::format("'{}' is missing", key));
    known_.emplace_back(key);
    return *found;
  }

  template <class T>
  T get(const char* key) {
    try {
      return at(key).get<T>();
    } catch (const Json::exception&) {
      fail(fmt::format("'{}' is of the wrong type", key));
    }
  }

  std::int64_t whole(const char* key) {
    if (!at(key).is_number_integer()) fail(fmt::format("'{}' is not a whole number", key));
    const auto value = get<std::int64_t>(key);
    if (value < 0) fail(fmt::format("'{}' is {}, expected at least 0", key, at(key).dump()));
    return value;
  }

  double real(const char* key) {
    if (!at(key).is_number()) fail(fmt::format("'{}' is not a number", key));
    return get<double>(key);
  }

  std::vector<double> reals(const char* key) {
    std::vector<double> values;
    for (const Json& value : get<std::vector<Json>>(key)) {
      if (!value.is_number()) fail(fmt::format("'{}' is no list of numbers", key));
      values.push_back(value.get<double>());
    }
    return values;
  }

  Extent extent(const char* key) {
    const auto sizes = get<std::vector<Json>>(key);
    if (sizes.size() != 2 || !sizes[0].is_number_integer() || !sizes[1].is_number_integer())
      fail(fmt::format("'{}' is not a height and a width", key));
    return {sizes[0].get<std::int64_t>(), sizes[1].get<std::int64_t>()};
  }

  /// A value of an enumeration, by its name.
  template <class Parse>
  auto named(const char* key, Parse parse) {
    const auto name = get<std::string>(key);
    try {
      return parse(name);
    } catch (const ValueError& error) {
      fail(error.what());
    }
  }

  /// Throws where there is something that nobody asked for.
  void done() const {
    for (const auto& item : json_.items())
      if (std::ranges::find(known_, item.key()) == known_.end())
        fail(fmt::format("'{}' is not known", item.key()));
  }

 private:
  const Json& json_;
  std::vector<std::string> known_;
};

// Each kind of layer, both ways. What is written in one place is read in the other.

Json json_of(const Extent& e) { return Json::array({e.height, e.width}); }

Json json_of(const RecurrentSpec& r) {
  Json json = {{"type", name_of(r.cell)},
               {"name", r.name},
               {"input_size", r.input_size},
               {"hidden_size", r.hidden_size},
               {"num_layers", r.num_layers}};
  if (r.cell == Cell::rnn) json["nonlinearity"] = name_of(r.nonlinearity);
  if (r.cell == Cell::lstm) json["proj_size"] = r.proj_size;
  json["bidirectional"] = r.bidirectional;
  json["bias"] = r.bias;
  json["layer_norm"] = r.layer_norm;
  json["zoneout_h"] = r.zoneout_h;
  if (r.cell == Cell::lstm) json["zoneout_c"] = r.zoneout_c;
  json["learn_initial_state"] = r.learn_initial_state;
  json["readout"] = name_of(r.readout);
  return json;
}

RecurrentSpec recurrent_from(Reader& json, Cell cell) {
  RecurrentSpec r;
  r.cell = cell;
  r.name = json.get<std::string>("name");
  r.input_size = json.whole("input_size");
  r.hidden_size = json.whole("hidden_size");
  r.num_layers = json.whole("num_layers");
  if (cell == Cell::rnn) r.nonlinearity = json.named("nonlinearity", nonlinearity_named);
  if (cell == Cell::lstm) r.proj_size = json.whole("proj_size");
  r.bidirectional = json.get<bool>("bidirectional");
  r.bias = json.get<bool>("bias");
  r.layer_norm = json.get<bool>("layer_norm");
  r.zoneout_h = json.real("zoneout_h");
  if (cell == Cell::lstm) r.zoneout_c = json.real("zoneout_c");
  r.learn_initial_state = json.get<bool>("learn_initial_state");
  r.readout = json.named("readout", readout_named);
  return r;
}

Json json_of(const LinearSpec& l) {
  return {{"type", "linear"},
          {"name", l.name},
          {"in_features", l.in_features},
          {"out_features", l.out_features},
          {"bias", l.bias}};
}

LinearSpec linear_from(Reader& json) {
  return {json.get<std::string>("name"), json.whole("in_features"), json.whole("out_features"),
          json.get<bool>("bias")};
}

Json json_of(const ActivationSpec& a) {
  return {{"type", "activation"}, {"function", name_of(a.function)}};
}

Json json_of(const Conv2dSpec& c) {
  return {{"type", "conv2d"},
          {"name", c.name},
          {"in_channels", c.in_channels},
          {"out_channels", c.out_channels},
          {"kernel", json_of(c.kernel)},
          {"stride", json_of(c.stride)},
          {"padding", json_of(c.padding)},
          {"bias", c.bias}};
}

Conv2dSpec conv2d_from(Reader& json) {
  return {json.get<std::string>("name"), json.whole("in_channels"), json.whole("out_channels"),
          json.extent("kernel"),         json.extent("stride"),     json.extent("padding"),
          json.get<bool>("bias")};
}

Json json_of(const MaxPool2dSpec& p) {
  return {{"type", "max_pool2d"},
          {"kernel", json_of(p.kernel)},
          {"stride", json_of(p.stride)},
          {"padding", json_of(p.padding)}};
}

MaxPool2dSpec max_pool2d_from(Reader& json) {
  return {json.extent("kernel"), json.extent("stride"), json.extent("padding")};
}

Json json_of(const FlattenSpec&) { return {{"type", "flatten"}}; }

Json json_of(const ScaleSpec& s) { return {{"type", "scale"}, {"mean", s.mean}, {"std", s.std}}; }

ScaleSpec scale_from(Reader& json) { return {json.reals("mean"), json.reals("std")}; }

Json json_of(const ResidualSpec& r) { return {{"type", "residual"}, {"over", r.over}}; }

LayerSpec layer_from(const Json& layer) {
  Reader json(layer);
  const auto type = json.get<std::string>("type");
  LayerSpec spec = [&]() -> LayerSpec {
    for (const Cell cell : {Cell::rnn, Cell::lstm, Cell::gru})
      if (type == name_of(cell)) return recurrent_from(json, cell);
    if (type == "linear") return linear_from(json);
    if (type == "activation") return ActivationSpec{json.named("function", activation_named)};
    if (type == "conv2d") return conv2d_from(json);
    if (type == "max_pool2d") return max_pool2d_from(json);
    if (type == "flatten") return FlattenSpec{};
    if (type == "scale") return scale_from(json);
    if (type == "residual") return ResidualSpec{json.whole("over")};
    fail(fmt::format("layers of type '{}' are not known here", type));
  }();
  json.done();
  return spec;
}

Json json_of(const InputSpec& input) {
  Json json = {{"form", name_of(input.form)}, {"height", input.height}, {"width", input.width}};
  json["permutation"] = input.permutation ? Json(*input.permutation) : Json();
  json["mean"] = input.mean;
  json["std"] = input.std;
  if (!input.pixels) json["pixels"] = false;
  return json;
}

InputSpec input_from(const Json& input) {
  Reader json(input);
  InputSpec spec;
  spec.form = json.named("form", form_named);
  spec.height = json.whole("height");
  spec.width = json.whole("width");
  if (const Json& seed = json.at("permutation"); !seed.is_null()) {
    if (!seed.is_number_unsigned()) fail("'permutation' is no seed");
    spec.permutation = seed.get<std::uint64_t>();
  }
  spec.mean = json.real("mean");
  spec.std = json.real("std");
  if (input.contains("pixels")) spec.pixels = json.get<bool>("pixels");
  json.done();
  return spec;
}

/// Version 1: a plain recurrent layer over rows, and a linear readout of its last state.
ModelSpec from_version_1(Reader& json) {
  if (const auto kind = json.get<std::string>("kind"); kind != "rnn")
    fail(fmt::format("models of kind '{}' are not known here", kind));
  ModelSpec spec;
  RecurrentSpec r;
  r.name = json.get<std::string>("recurrent");
  r.input_size = json.whole("input_size");
  r.hidden_size = json.whole("hidden_size");
  r.num_layers = json.whole("num_layers");
  r.bias = json.get<bool>("bias");
  r.nonlinearity = json.named("nonlinearity", nonlinearity_named);
  const LinearSpec readout{json.get<std::string>("readout"), r.hidden_size, json.whole("outputs")};
  spec.input.height = json.whole("steps");
  spec.input.width = r.input_size;
  spec.input.mean = json.real("input_mean");
  spec.input.std = json.real("input_std");
  spec.layers = {r, readout};
  return spec;
}

/// The oldest version that can say it, so that older programs read all that they can run.
int version_of(const ModelSpec& spec) {
  const bool is_new = std::ranges::any_of(spec.layers, [](const LayerSpec& layer) {
    return std::holds_alternative<ScaleSpec>(layer) || std::holds_alternative<ResidualSpec>(layer);
  });
  return is_new || !spec.input.pixels ? ModelSpec::version : 2;
}

}  // namespace

std::string to_json(const ModelSpec& spec) {
  Json layers = Json::array();
  for (const LayerSpec& layer : spec.layers)
    layers.push_back(std::visit([](const auto& l) { return json_of(l); }, layer));
  const Json json = {
      {"version", version_of(spec)},    {"input", json_of(spec.input)}, {"layers", layers},
      {"output", name_of(spec.output)}, {"dataset", spec.dataset},      {"classes", spec.classes},
  };
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
    throw FormatError("model", fmt::format("written by a newer version of Unroll (format {}, this "
                                           "program reads {}); update it",
                                           version, ModelSpec::version));
  ModelSpec spec;
  if (version == 1) {
    spec = from_version_1(reader);
  } else {
    spec.input = input_from(reader.at("input"));
    const Json& layers = reader.at("layers");
    if (!layers.is_array()) fail("'layers' is no list");
    for (const Json& layer : layers) spec.layers.push_back(layer_from(layer));
    spec.output = reader.named("output", output_named);
  }
  spec.dataset = reader.get<std::string>("dataset");
  spec.classes = reader.get<std::vector<std::string>>("classes");
  reader.done();
  features_of(spec);
  return spec;
}

}  // namespace unroll::spec
