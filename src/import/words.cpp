#include "import/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "core/printable.h"
#include "core/suggest.h"
#include "import/ending.h"
#include "spec/cells.h"
#include "spec/layer_weights.h"
#include "unroll/core/error.h"
#include "unroll/spec/model_spec.h"

namespace unroll::importer {
namespace {

using Json = nlohmann::ordered_json;
using Words = std::vector<std::string_view>;

std::string not_known(std::string_view what, std::string_view given, const Words& known) {
  return fmt::format(
      "{}{} is not known, expected one of {}{}{}", what, in_quotes(given), fmt::join(known, ", "),
      did_you_mean(given, known),
      given == "dropout" ? "; dropout does nothing in a trained model: leave it out" : "");
}

/// An example of each type of layer, which shows the type's keys.
const std::vector<Json>& examples() {
  static const std::vector<Json> kExamples = [] {
    std::vector<Json> all;
    for (const spec::CellInfo& cell : spec::cells())
      all.push_back(json_of(spec::RecurrentSpec{.cell = *spec::find_cell(cell.name)}));
    for (const spec::LayerSpec& layer : std::initializer_list<spec::LayerSpec>{
             spec::LinearSpec{}, spec::ActivationSpec{}, spec::ResidualSpec{}, spec::ScaleSpec{},
             spec::Conv1dSpec{}, spec::Conv2dSpec{}, spec::MaxPool2dSpec{}, spec::FlattenSpec{}})
      all.push_back(json_of(layer));
    return all;
  }();
  return kExamples;
}

/// Escapes the text if a terminal would not simply show it.
std::string json_text(const Json& json) {
  std::string text = json.dump();
  return printable(text) == text ? text : json.dump(-1, ' ', true);
}

Words keys_of(const Json& object) {
  Words keys;
  for (const auto& item : object.items()) keys.emplace_back(item.key());
  return keys;
}

/// The error of a choice's own reader; empty if the choice is valid.
std::string wrong_choice(const std::string& key, const Json& value) {
  if (!value.is_string()) return {};
  const auto name = value.get<std::string>();
  try {
    if (key == "readout") spec::readout_named(name);
    if (key == "nonlinearity") spec::nonlinearity_named(name);
    if (key == "function" && !ending_named(name)) spec::activation_named(name);
    if (key == "form") spec::form_named(name);
    if (key == "output") spec::output_named(name);
  } catch (const ValueError& error) {
    return fmt::format("\"{}\": {}{}", key, error.reason(),
                       name.find(" | ") != std::string::npos ? "; keep one of the choices" : "");
  }
  return {};
}

/// The expected kind of a value, if the value is of another kind than the example; otherwise empty.
std::string_view expected_like(const Json& example, const Json& value) {
  if (example.is_boolean()) return value.is_boolean() ? "" : "true or false";
  if (example.is_number()) return value.is_number() ? "" : "a number";
  if (example.is_string()) return value.is_string() ? "" : "a text in quotes";
  if (example.is_array()) return value.is_array() ? "" : "a list in brackets";
  return "";
}

/// Compares an object with an example, which shows all keys that it may have.
std::string misspelt(const Json& given, const Json& example) {
  for (const auto& item : given.items()) {
    const auto found = example.find(item.key());
    if (found == example.end()) return not_known("", item.key(), keys_of(example));
    if (const auto expected = expected_like(*found, item.value()); !expected.empty())
      return fmt::format("\"{}\" is {}, expected {}", item.key(), printable(item.value().dump()),
                         expected);
    if (std::string wrong = wrong_choice(item.key(), item.value()); !wrong.empty()) return wrong;
  }
  return {};
}

}  // namespace

void fail(const std::string& file, std::string_view why) {
  throw FormatError("import", fmt::format("{}: {}", file, why));
}

Json json_of(const spec::LayerSpec& layer) {
  spec::ModelSpec spec;
  spec.layers = {layer};
  return Json::parse(spec::to_json(spec))["layers"][0];
}

std::string text_of_file(const Json& architecture) {
  std::vector<std::string> lines;
  for (const Json& layer : architecture["layers"]) {
    std::string line;
    for (const auto& item : layer.items())
      line += fmt::format("{}{}: {}", line.empty() ? "" : ", ", json_text(item.key()),
                          json_text(item.value()));
    lines.push_back("    {" + line + "}");
  }
  std::string all = fmt::format("{{\n  \"layers\": [\n{}\n  ]", fmt::join(lines, ",\n"));
  for (const auto& item : architecture.items())
    if (item.key() != "layers")
      all += fmt::format(",\n  {}: {}", json_text(item.key()), json_text(item.value()));
  return all + "\n}\n";
}

std::string misspelt_in_layer(const Json& layer) {
  const auto type = layer.at("type").get<std::string>();
  Words types;
  for (const Json& example : examples()) {
    types.emplace_back(example.at("type").get_ref<const std::string&>());
    if (types.back() != type) continue;
    Json any = example;
    if (type == "scale") any["mean"] = any["std"] = nullptr;  // a number, a list, a tensor's name
    if (const auto cell = spec::find_cell(type))
      for (const spec::LearntState& state : spec::learnt_states({.cell = *cell}))
        any[std::string(state.name)] = "";  // the name of a tensor
    return misspelt(layer, any);
  }
  return not_known("type ", type, types);
}

std::string misspelt_beside_layers(const Json& architecture) {
  const spec::ModelSpec model;
  Json example = Json::parse(spec::to_json(model));
  Json input = example["input"];
  input["pixels"] = true;
  example["input"] = nullptr;  // checked below
  if (std::string wrong = misspelt(architecture, example); !wrong.empty()) return wrong;
  const auto said = architecture.find("input");
  if (said == architecture.end() || !said->is_object()) return {};
  std::string wrong = misspelt(*said, input);
  return wrong.empty() ? wrong : "input: " + wrong;
}

}  // namespace unroll::importer
