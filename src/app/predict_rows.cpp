#include "app/predict_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "app/commands.h"
#include "app/number_rows.h"
#include "data/image_inputs.h"
#include "unroll/core/error.h"
#include "unroll/infer/stream.h"

namespace unroll::app {
namespace {

/// As data::pixel_values: in f32, then widened.
template <class T>
std::vector<T> scaled(std::vector<float> pixels, const spec::ImageInput& input) {
  for (const float pixel : pixels)
    if (pixel < 0 || pixel > 255)
      throw FormatError("predict", fmt::format("a pixel is {}, expected 0 to 255; for numbers that "
                                               "are scaled already, give --out FILE.npy",
                                               pixel));
  const auto mean = static_cast<float>(input.mean), std = static_cast<float>(input.std);
  for (float& pixel : pixels) pixel = (pixel / 255.0f - mean) / std;
  return {pixels.begin(), pixels.end()};
}

[[noreturn]] void refuse_no_rows(const std::string& source, std::int64_t numbers) {
  throw FormatError("predict",
                    fmt::format("nothing {}; give rows of {} numbers, 0 to 255", source, numbers));
}

void print_whole(const PredictionPrinter& print, std::int64_t rows, const Prediction& p) {
  print.line("rows", rows, p);
  print.classes(p);
}

/// Reads rows as they come, so that with `each` every one is answered at once.
template <class T>
void predict_stream(const infer::Model<T>& model, const spec::ImageInput& images, const Rows& from,
                    bool each, const PredictionPrinter& print) {
  const spec::ModelSpec& spec = model.description();
  const auto width = static_cast<std::int64_t>(model.inputs());
  infer::Stream<T> stream = model.stream();
  std::vector<T> outputs(model.outputs());
  NumberRows<float> rows(from.stream, from.source, width);
  for (std::vector<float> row; rows.next(row);) {
    stream.step(scaled<T>(std::move(row), images), outputs);
    if (!each) continue;
    print.line("row", rows.count(), prediction_of<T>(spec.output, outputs));
    std::fflush(stdout);
  }
  if (rows.count() == 0) refuse_no_rows(from.source, width);
  if (!each) print_whole(print, rows.count(), prediction_of<T>(spec.output, outputs));
}

/// Why a model must see all of an image before it can say anything; empty where it need not.
std::string why_whole(const spec::ModelSpec& spec, const spec::ImageInput& images) {
  if (!images.is_sequence()) return "it reads no sequences";
  if (images.permutation) return "it reads the pixels in another order";
  return spec::reads_ahead(spec);
}

template <class T>
void predict_whole(const infer::Model<T>& model, const spec::ImageInput& images, const Rows& from,
                   const PredictionPrinter& print) {
  const bool by_rows = images.form == spec::Form::rows;
  std::vector<float> pixels;
  NumberRows<float> reader(from.stream, from.source,
                           by_rows ? std::optional(images.width) : std::nullopt);
  for (std::vector<float> row; reader.next(row);) {
    constexpr std::size_t kMost = std::size_t{1} << 26;
    if (pixels.size() > kMost)
      throw FormatError("predict", fmt::format("more than {} numbers {}", kMost, from.source));
    pixels.insert(pixels.end(), row.begin(), row.end());
  }
  const std::int64_t rows = reader.count();
  const auto given = static_cast<std::int64_t>(pixels.size());
  const bool any_size = images.is_sequence() && !images.permutation;
  const std::int64_t expected =
      any_size ? given : std::max(images.height, std::int64_t{1}) * images.width;
  if (rows == 0) refuse_no_rows(from.source, by_rows ? images.width : expected);
  if (given != expected)
    throw FormatError(
        "predict", fmt::format("{} numbers {}, the model reads {}", given, from.source, expected));
  const std::int64_t width = any_size ? given / rows : images.width;
  const data::ImageInputs inputs(images, any_size ? rows : images.height, width);
  inputs.permute(pixels);
  std::vector<T> outputs(model.outputs());
  model.run(scaled<T>(std::move(pixels), images), 1, static_cast<std::size_t>(inputs.steps()),
            std::span<T>(outputs));
  print_whole(print, rows, prediction_of<T>(model.description().output, outputs));
}

}  // namespace

void predict_rows(const LoadedModel& loaded, const Rows& rows, bool each,
                  const PredictionPrinter& print) {
  const auto& images = std::get<spec::ImageInput>(loaded.spec.input);
  loaded.run([&]<class T>(const infer::Model<T>& model) {
    const std::string why = why_whole(model.description(), images);
    if (why.empty()) return predict_stream(model, images, rows, each, print);
    if (each)
      throw UsageError(fmt::format("--rows: the model needs a whole image, because {}", why));
    return predict_whole(model, images, rows, print);
  });
}

}  // namespace unroll::app
