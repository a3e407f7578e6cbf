// The description's JSON form.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "unroll/core/error.h"
#include "unroll/spec/model_spec.h"

namespace unroll::spec {
namespace {

using Json = nlohmann::ordered_json;

// A description's sizes stay below this: enough for any network that fits in memory, and products
// of two of them cannot overflow.
constexpr std::int64_t kLargest = 1 << 24;
constexpr std::int64_t kMostLayers = 1024;

[[noreturn]] void fail(std::string_view why) {
  throw FormatError("model", fmt::format("the model's description is damaged: {}", why));
}

template <class T>
T get(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) fail(fmt::format("'{}' is missing", key));
  try {
    return found->get<T>();
  } catch (const Json::exception&) {
    fail(fmt::format("'{}' is of the wrong type", key));
  }
}

std::int64_t get_size(const Json& json, const char* key, std::int64_t smallest,
                      std::int64_t largest = kLargest) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_integer())
    fail(fmt::format("'{}' is not a whole number", key));
  const auto size = get<std::int64_t>(json, key);
  if (size < smallest || size > largest)
    fail(fmt::format("'{}' is {}, expected {} to {}", key, size, smallest, largest));
  return size;
}

}  // namespace

std::string to_json(const ModelSpec& spec) {
  const Json json = {
      {"version", ModelSpec::version},
      {"kind", "rnn"},
      {"recurrent", spec.recurrent},
      {"readout", spec.readout},
      {"input_size", spec.input_size},
      {"hidden_size", spec.hidden_size},
      {"num_layers", spec.num_layers},
      {"bias", spec.bias},
      {"nonlinearity", name_of(spec.nonlinearity)},
      {"outputs", spec.outputs},
      {"steps", spec.steps},
      {"input_mean", spec.input_mean},
      {"input_std", spec.input_std},
      {"dataset", spec.dataset},
      {"classes", spec.classes},
  };
  return json.dump();
}

ModelSpec from_json(std::string_view text) {
  constexpr std::size_t kLongest = 1 << 20;
  if (text.size() > kLongest) fail(fmt::format("{} bytes long", text.size()));
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) fail("it is not a JSON object");
  const std::int64_t version =
      get_size(json, "version", 1, std::numeric_limits<std::int64_t>::max());
  if (version > ModelSpec::version)
    throw FormatError("model", fmt::format("written by a newer version of Unroll (format {}, this "
                                           "program reads {}); update it",
                                           version, ModelSpec::version));
  if (const auto kind = get<std::string>(json, "kind"); kind != "rnn")
    fail(fmt::format("models of kind '{}' are not known here", kind));
  ModelSpec spec;
  spec.recurrent = get<std::string>(json, "recurrent");
  spec.readout = get<std::string>(json, "readout");
  spec.input_size = get_size(json, "input_size", 1);
  spec.hidden_size = get_size(json, "hidden_size", 1);
  spec.num_layers = get_size(json, "num_layers", 1, kMostLayers);
  spec.bias = get<bool>(json, "bias");
  try {
    spec.nonlinearity = nonlinearity_named(get<std::string>(json, "nonlinearity"));
  } catch (const ValueError& error) {
    fail(error.what());
  }
  spec.outputs = get_size(json, "outputs", 1);
  spec.steps = get_size(json, "steps", 0);
  spec.input_mean = get<double>(json, "input_mean");
  spec.input_std = get<double>(json, "input_std");
  if (!std::isfinite(spec.input_mean) || !std::isfinite(spec.input_std) ||
      !(static_cast<float>(spec.input_std) > 0))
    fail("the input's scaling");
  spec.dataset = get<std::string>(json, "dataset");
  spec.classes = get<std::vector<std::string>>(json, "classes");
  if (!spec.classes.empty() && static_cast<std::int64_t>(spec.classes.size()) != spec.outputs)
    fail(fmt::format("{} class names for {} outputs", spec.classes.size(), spec.outputs));
  return spec;
}

}  // namespace unroll::spec
