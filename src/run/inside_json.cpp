#include "run/inside_json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "unroll/core/error.h"

namespace unroll::run {
namespace {

std::string six_digits(double value) {
  return std::isfinite(value) ? fmt::format("{:.6g}", value) : "null";
}

std::string list_of(const std::vector<double>& values) {
  std::vector<std::string> texts;
  for (const double value : values) texts.push_back(six_digits(value));
  return fmt::format("[{}]", fmt::join(texts, ","));
}

/// ,"key":value of a number that is known.
std::string pair_of(const char* key, const std::optional<double>& value) {
  return value ? fmt::format(R"(,"{}":{})", key, six_digits(*value)) : "";
}

std::string pair_of(const char* key, const std::optional<train::Spread>& s) {
  return s ? fmt::format(R"(,"{}":{})", key, list_of({s->mean, s->deviation, s->largest})) : "";
}

/// Reads the members of an object, which may be missing.
class Members {
 public:
  explicit Members(const nlohmann::ordered_json& object) : object_(object) {
    if (!object.is_object()) refuse("inside", "an object");
  }

  std::optional<double> number(const char* key) const {
    const auto at = object_.find(key);
    if (at == object_.end()) return {};
    return number_of(key, *at);
  }
  std::int64_t count(const char* key) const {
    const auto at = object_.find(key);
    if (at == object_.end()) return 0;
    if (!at->is_number_integer()) refuse(key, "a whole number");
    return at->get<std::int64_t>();
  }
  std::vector<double> numbers(const char* key) const {
    std::vector<double> values;
    const auto at = object_.find(key);
    if (at == object_.end()) return values;
    if (!at->is_array()) refuse(key, "a list of numbers");
    for (const auto& value : *at) values.push_back(number_of(key, value));
    return values;
  }
  std::optional<train::Spread> spread(const char* key) const {
    const std::vector<double> values = numbers(key);
    if (values.empty()) return {};
    if (values.size() != 3) refuse(key, "mean, deviation and largest");
    return train::Spread{values[0], values[1], values[2]};
  }

 private:
  [[noreturn]] static void refuse(const char* key, const char* expected) {
    throw FormatError("metrics", fmt::format("\"{}\" is not {}", key, expected));
  }
  static double number_of(const char* key, const nlohmann::ordered_json& value) {
    if (value.is_null()) return std::nan("");
    if (!value.is_number()) refuse(key, "a number");
    return value.get<double>();
  }

  const nlohmann::ordered_json& object_;
};

}  // namespace

std::string to_json(const train::Inside& inside) {
  std::string text = fmt::format(R"({{"rows":{},"update_steps":{},"times":[{}])", inside.rows,
                                 inside.update_steps, fmt::join(inside.times, ","));
  text += pair_of("output_spread", inside.output_spread) + pair_of("chance", inside.chance);
  text += R"(,"layers":[)";
  for (const train::LayerInside& layer : inside.layers) {
    if (&layer != inside.layers.data()) text += ',';
    text += fmt::format(R"({{"name":{})", nlohmann::json(layer.name).dump());
    text += pair_of("weights", layer.weights) + pair_of("updates", layer.updates) +
            pair_of("moved", layer.moved) + pair_of("activations", layer.activations) +
            pair_of("dead", layer.dead);
    if (!layer.gradient.empty()) text += R"(,"gradient":)" + list_of(layer.gradient);
    text += '}';
  }
  return text + "]}";
}

train::Inside inside_from(const nlohmann::ordered_json& object) {
  const Members members(object);
  train::Inside inside;
  inside.rows = members.count("rows");
  inside.update_steps = members.count("update_steps");
  for (const double time : members.numbers("times"))
    inside.times.push_back(std::isfinite(time) ? static_cast<std::int64_t>(time) : 0);
  inside.output_spread = members.number("output_spread");
  inside.chance = members.number("chance");
  const auto layers = object.find("layers");
  if (layers == object.end() || !layers->is_array())
    throw FormatError("metrics", "\"inside\" has no list of layers");
  for (const auto& each : *layers) {
    const Members of(each);
    train::LayerInside layer;
    const auto name = each.find("name");
    if (name == each.end() || !name->is_string())
      throw FormatError("metrics", "a layer in \"inside\" has no name");
    layer.name = name->get<std::string>();
    layer.weights = of.spread("weights");
    layer.updates = of.spread("updates");
    layer.moved = of.number("moved");
    layer.activations = of.spread("activations");
    layer.dead = of.number("dead");
    layer.gradient = of.numbers("gradient");
    inside.layers.push_back(std::move(layer));
  }
  return inside;
}

}  // namespace unroll::run
