// A model's description: what is read can be written and read again, and is a whole model.
#include <map>

#include "target.h"
#include "unroll/spec/model_spec.h"

namespace unroll::fuzz {

void model(Bytes bytes) {
  spec::ModelSpec model;
  if (!accepts([&] { model = spec::from_json(text_of(bytes)); })) return;
  require(spec::from_json(spec::to_json(model)) == model,
          "a description that was read, written and read again is the same");
  require(spec::features_of(model).size() == model.layers.size() + 1,
          "features flow between all layers");
  require(spec::inputs_of(model) > 0 && spec::outputs_of(model) > 0, "inputs and outputs");
  std::map<std::string, spec::Sizes> weights;
  for (const auto& [name, shape] : spec::weights_of(model)) weights[name] = shape;
  require(spec::differences(model, weights).empty(), "a model has its own weights");
}

}  // namespace unroll::fuzz
