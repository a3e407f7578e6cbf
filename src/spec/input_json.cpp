#include "spec/input_json.h"

#include <iterator>
#include <utility>

#include "spec/limits.h"

namespace unroll::spec {
namespace {

// Up to version 3 every input was written as images; a series was written as their rows. Version 3
// added "pixels": false. Without it, memory tasks and models that predict values still read
// numbers.

constexpr int kKinds = 4;  // since this version an input has a kind

bool reads_numbers_without_saying_so(const ModelSpec& spec) {
  return spec.output == Output::values || spec.dataset == "adding" || spec.dataset == "copy";
}

/// The input in the form of a version before 4.
ImageInput as_images(const InputSpec& input) {
  if (const auto* series = std::get_if<SeriesInput>(&input))
    return {.height = series->steps, .width = series->features, .pixels = false};
  if (const auto* vector = std::get_if<VectorInput>(&input))
    return {.form = Form::flat, .height = 1, .width = vector->features, .pixels = false};
  return std::get<ImageInput>(input);
}

/// The input from the form of a version before 4.
InputSpec from_images(ImageInput images, const ModelSpec& spec) {
  const bool pixels = std::exchange(images.pixels, true) && !reads_numbers_without_saying_so(spec);
  features_of(images);  // checks sizes, so that no product below overflows
  if (pixels) return images;
  if (images.permutation || images.form == Form::image) {
    images.pixels = false;
    return images;
  }
  if (images.form == Form::flat) return VectorInput{.features = images.height * images.width};
  return SeriesInput{.features = images.form == Form::rows ? images.width : 1,
                     .steps = steps_of(images)};
}

Json json_of(const ImageInput& input) {
  Json json =
      object_of({{"form", name_of(input.form)}, {"height", input.height}, {"width", input.width}});
  json["permutation"] = input.permutation ? Json(*input.permutation) : Json();
  json["mean"] = input.mean;
  json["std"] = input.std;
  if (!input.pixels) json["pixels"] = false;
  return json;
}

ImageInput images_from(Reader& json) {
  ImageInput input;
  input.form = json.named("form", form_named);
  input.height = json.whole("height");
  input.width = json.whole("width");
  if (const Json& seed = json.at("permutation"); !seed.is_null()) {
    if (!seed.is_number_unsigned()) fail("'permutation' is not a seed, a whole number from 0");
    input.permutation = seed.get<std::uint64_t>();
  }
  input.mean = json.real("mean");
  input.std = json.real("std");
  if (json.has("pixels")) input.pixels = json.get<bool>("pixels");
  return input;
}

Json json_of(const SeriesInput& input) {
  return object_of({{"features", input.features},
                    {"steps", input.steps},
                    {"names", input.names},
                    {"mean", input.mean},
                    {"std", input.std}});
}

SeriesInput series_from(Reader& json) {
  return {json.whole("features"), json.whole("steps"), json.get<std::vector<std::string>>("names"),
          json.reals("mean"), json.reals("std")};
}

Json json_of(const VectorInput& input) {
  return object_of({{"features", input.features},
                    {"names", input.names},
                    {"mean", input.mean},
                    {"std", input.std}});
}

VectorInput vector_from(Reader& json) {
  return {json.whole("features"), json.get<std::vector<std::string>>("names"), json.reals("mean"),
          json.reals("std")};
}

Json json_of(const TokenInput& input) {
  return object_of(
      {{"tokens", input.tokens}, {"steps", input.steps}, {"vocabulary", input.vocabulary}});
}

TokenInput tokens_from(Reader& json) {
  return {json.whole("tokens"), json.whole("steps"),
          json.get<std::vector<std::string>>("vocabulary")};
}

constexpr std::string_view kNames[] = {"images", "series", "vector", "tokens"};
static_assert(std::size(kNames) == std::variant_size_v<InputSpec>);

InputSpec kind_from(Reader& json) {
  const auto kind = json.get<std::string>("kind");
  if (kind == kNames[0]) return images_from(json);
  if (kind == kNames[1]) return series_from(json);
  if (kind == kNames[2]) return vector_from(json);
  if (kind == kNames[3]) return tokens_from(json);
  fail(fmt::format("the input kind '{}' is not known", kind));
}

}  // namespace

int version_of_input(const ModelSpec& spec) {
  if (const auto* images = std::get_if<ImageInput>(&spec.input))
    return !images->pixels ? 3 : reads_numbers_without_saying_so(spec) ? kKinds : 2;
  const auto is_plain = [](const auto& input) {
    return input.names.empty() && !has_scaling(input);
  };
  if (const auto* series = std::get_if<SeriesInput>(&spec.input))
    return is_plain(*series) ? 3 : kKinds;
  if (const auto* vector = std::get_if<VectorInput>(&spec.input))
    return is_plain(*vector) && vector->features <= kLargest ? 3 : kKinds;
  return kKinds;
}

Json json_of(const InputSpec& input, int version) {
  if (version < kKinds) return json_of(as_images(input));
  Json json = object_of({{"kind", kNames[input.index()]}});
  json.update(std::visit([](const auto& kind) { return json_of(kind); }, input));
  return json;
}

InputSpec input_from(const Json& input, std::int64_t version, const ModelSpec& spec) {
  Reader json(input);
  const InputSpec result =
      version < kKinds ? from_images(images_from(json), spec) : kind_from(json);
  json.done();
  return result;
}

}  // namespace unroll::spec
