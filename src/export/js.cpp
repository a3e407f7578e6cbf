#include "export/js.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "data/image_inputs.h"
#include "embedded/javascript.h"
#include "export/base64.h"
#include "export/int8.h"
#include "unroll/core/error.h"

namespace unroll::exporter {
namespace {

// The longest text in V8, the engine of Node and Chromium, has 2^29 - 24 characters. A weight takes
// 16 / 3 of them.
constexpr std::int64_t kMostWeights = 96'000'000;

void check_js_size(const spec::ModelSpec& spec) {
  std::int64_t count = 0;
  for (const auto& [name, shape] : spec::weights_of(spec)) {
    std::int64_t size = 1;
    for (const std::int64_t d : shape)
      if (__builtin_mul_overflow(size, d, &size)) size = kMostWeights + 1;
    count = std::min(count + std::min(size, kMostWeights + 1), kMostWeights + 1);
  }
  if (count > kMostWeights)
    throw ValueError("export", fmt::format("--format js holds at most {} weights, but this model "
                                           "has more; export it as onnx",
                                           kMostWeights));
}

}  // namespace

std::string js_data(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights) {
  check_js_size(spec);
  std::map<std::string, spec::Sizes> shapes;
  for (const io::ArrayView& array : weights) shapes[array.name] = array.shape;
  const std::string misfits = spec::differences(spec, shapes);
  if (!misfits.empty()) throw FormatError("export", misfits);

  using Json = nlohmann::ordered_json;
  // The large texts go in without a tree, which would copy them.
  std::string text = fmt::format("{{\"description\": {},\n\"weights\": {{", spec::to_json(spec));
  bool first = true;
  for (const io::ArrayView& array : weights) {
    text += fmt::format("{}\n{}: {{\"shape\": {}, \"data\": \"", first ? "" : ",",
                        Json(array.name).dump(), Json(array.shape).dump());
    text += base64(finite_floats(array));
    text += "\"}";
    first = false;
  }
  text += "}";
  const auto* images = std::get_if<spec::ImageInput>(&spec.input);
  if (images && images->permutation) {
    const data::ImageInputs inputs(*images, images->height, images->width);
    text += fmt::format(",\n\"order\": {}", Json(inputs.order()).dump());
  }
  return text + "}";
}

std::string js_module(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights) {
  const std::string data = js_data(spec, weights);
  return fmt::format(
      "// A recurrent network, written by `unroll export --format js`. It needs no library.\n"
      "//\n"
      "//   import {{reset, step, process}} from './model.js';\n"
      "//   step(input);      // {} numbers of a time step in, {} outputs after it\n"
      "//   process(inputs);  // many steps, or whole inputs of a model that reads no steps\n"
      "//   reset();          // start a new sequence\n"
      "//\n"
      "// Node needs the ending .mjs, or \"type\": \"module\" in package.json.\n\n"
      "{}\n"
      "const DATA = {};\n\n"
      "export {{Network}};\n"
      "export const network = new Network(DATA);\n"
      "export const reset = () => network.reset();\n"
      "export const step = (input) => network.step(input);\n"
      "export const process = (inputs, count) => network.process(inputs, count);\n",
      spec::inputs_of(spec), spec::outputs_of(spec), embedded::network_js, data);
}

}  // namespace unroll::exporter
