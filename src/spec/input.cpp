// The input of a model: its checks, and the data for the first layer.
#include <fmt/format.h>

#include <cmath>

#include "spec/limits.h"
#include "spec/ranges.h"
#include "unroll/spec/model_spec.h"

namespace unroll::spec {
namespace {

using Kind = Features::Kind;

void check_input_names(const Ranges& ranges, std::string_view what,
                       const std::vector<std::string>& names, std::int64_t count) {
  if (!names.empty() && static_cast<std::int64_t>(names.size()) != count)
    ranges.fail(fmt::format("{} {}, expected {} or none", names.size(), what, count));
}

/// Checks the names and the scaling of a series or a vector.
template <class Input>
void check_features(const Ranges& ranges, const Input& input, std::int64_t most) {
  ranges.check("features", input.features, 1, most);
  check_input_names(ranges, "names of features", input.names, input.features);
  if (has_scaling(input)) ranges.check_scaling(input.mean, input.std, input.features);
}

/// The data for the first layer. Throws FormatError for a number outside its range.
struct Flow {
  const Ranges ranges{"the input"};

  Features operator()(const ImageInput& input) const {
    const bool any = input.height == 0 && input.is_sequence();
    if (!any)
      ranges.check("height", input.height, 1, input.form == Form::rows ? kLongest : kLargest);
    if (!any || input.form == Form::rows) ranges.check("width", input.width, 1, kLargest);
    if (any && input.form == Form::pixels) ranges.check("width", input.width, 0, 0);
    if (input.permutation && any)
      ranges.fail("a permutation needs images of one size, but height is 0 (any)");
    // By division, because the product may overflow.
    if (input.permutation && input.height > kMostFeatures / input.width)
      ranges.fail(fmt::format("a permutation of {} x {} pixels, expected at most {}", input.height,
                              input.width, kMostFeatures));
    if (!std::isfinite(static_cast<float>(input.mean)) ||
        !std::isfinite(static_cast<float>(input.std)) || !(static_cast<float>(input.std) > 0))
      ranges.fail(
          fmt::format("pixels are scaled with mean {} and standard deviation {}, expected finite "
                      "numbers and a deviation above 0",
                      input.mean, input.std));
    if (!input.pixels && !input.permutation && input.form != Form::image)
      ranges.fail(fmt::format(
          "the form is {}, but there are no pixels; describe the input as a series or a vector",
          name_of(input.form)));
    switch (input.form) {
      case Form::rows:
        return {Kind::sequence, 1, 1, input.width};
      case Form::pixels:
        return {Kind::sequence, 1, 1, 1};
      case Form::flat:
        return {Kind::vector, 1, 1, input.height * input.width};
      case Form::image:
        break;
    }
    return {Kind::image, 1, input.height, input.width};
  }

  Features operator()(const SeriesInput& input) const {
    check_features(ranges, input, kLargest);
    ranges.check("steps", input.steps, 0, kLongest);
    return {Kind::sequence, 1, 1, input.features};
  }

  Features operator()(const VectorInput& input) const {
    check_features(ranges, input, kMostFeatures);
    return {Kind::vector, 1, 1, input.features};
  }

  Features operator()(const TokenInput& input) const {
    ranges.check("tokens", input.tokens, 1, kLargest);
    ranges.check("steps", input.steps, 0, kLongest);
    check_input_names(ranges, "texts in the vocabulary", input.vocabulary, input.tokens);
    return {Kind::tokens, 1, 1, input.tokens};
  }
};

struct Steps {
  std::int64_t operator()(const ImageInput& input) const {
    if (!input.is_sequence()) return 1;
    return input.form == Form::rows ? input.height : input.height * input.width;
  }
  std::int64_t operator()(const SeriesInput& input) const { return input.steps; }
  std::int64_t operator()(const VectorInput&) const { return 1; }
  std::int64_t operator()(const TokenInput& input) const { return input.steps; }
};

}  // namespace

bool is_sequence(const InputSpec& input) {
  const auto* images = std::get_if<ImageInput>(&input);
  return images ? images->is_sequence() : !std::holds_alternative<VectorInput>(input);
}

std::int64_t steps_of(const InputSpec& input) { return std::visit(Steps{}, input); }

const ImageInput* pixels_of(const InputSpec& input) {
  const auto* images = std::get_if<ImageInput>(&input);
  return images && images->pixels ? images : nullptr;
}

Features features_of(const InputSpec& input) { return std::visit(Flow{}, input); }

bool has_scaling(const InputSpec& input) {
  return std::visit(
      [](const auto& kind) {
        if constexpr (requires { kind.features; }) return !kind.mean.empty() || !kind.std.empty();
        return false;
      },
      input);
}

ModelSpec with_scale_layer(const ModelSpec& spec) {
  ModelSpec result = spec;
  std::visit(
      [&](auto& input) {
        if constexpr (requires { input.features; })
          if (has_scaling(spec.input)) {
            result.layers.insert(result.layers.begin(), ScaleSpec{input.mean, input.std});
            input.mean = input.std = {};
          }
      },
      result.input);
  return result;
}

}  // namespace unroll::spec
