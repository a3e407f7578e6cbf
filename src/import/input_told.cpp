#include "import/input_told.h"

#include <nlohmann/json.hpp>

#include "import/words.h"
#include "unroll/spec/model_spec.h"

namespace unroll::importer {
namespace {

using Json = nlohmann::ordered_json;

/// An integer of a layer, or 0. spec::from_json checks the value later.
std::int64_t number(const Json& layer, const char* key) {
  const auto found = layer.find(key);
  return found != layer.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace

Json input_told(const Json& architecture, const Json& layers, const std::string& file) {
  spec::ImageInput input;
  const auto said = architecture.find("input");
  input.pixels = said != architecture.end();  // otherwise nothing says how pixels are scaled
  bool sequences = false, found = false;
  for (const Json& layer : layers) {
    const bool recurrent = layer.contains("input_size"),
               steps = layer.value("type", "") == "conv1d";
    sequences = sequences || recurrent || steps;
    if (found || !(recurrent || layer.contains("in_features") || layer.contains("in_channels")))
      continue;
    found = true;  // the first with weights
    input.width = number(layer, recurrent ? "input_size" : steps ? "in_channels" : "in_features");
    if (layer.contains("in_channels") && !steps) input.form = spec::Form::image;
  }
  if (input.form != spec::Form::image && !sequences) {
    input.form = spec::Form::flat;
    input.height = 1;
  } else if (sequences && input.width == 1) {
    input.form = spec::Form::pixels;
    input.width = 0;
  }
  spec::ModelSpec one;
  one.input = input;
  Json whole = Json::parse(spec::to_json(one))["input"];
  if (said == architecture.end()) return whole;
  if (!said->is_object()) fail(file, "'input' has the wrong type, expected an object in braces");
  if (said->value("pixels", Json(true)) == false &&
      (said->contains("mean") || said->contains("std")))
    fail(file, "'input' says \"pixels\": false; leave out 'mean' and 'std', which scale pixels");
  whole.update(*said);
  return whole;
}

}  // namespace unroll::importer
