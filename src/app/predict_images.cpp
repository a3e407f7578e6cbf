#include "app/predict_images.h"

#include <vector>

#include "data/idx.h"
#include "data/image_inputs.h"
#include "unroll/infer/stream.h"

namespace unroll::app {
namespace {

/// An idx file of images, or one image of it, as a set without labels.
data::Dataset read_images(const ImageFile& file) {
  data::Idx images = file.index ? data::read_idx_image(file.path, *file.index)
                                : data::read_idx(file.path, data::Part::images);
  data::Dataset set;
  set.name = file.path;
  set.count = file.index ? 1 : images.shape[0];
  set.rows = images.shape[1];
  set.columns = images.shape[2];
  set.images = std::move(images.values);
  return set;
}

template <class T>
void predict_images(const infer::Model<T>& model, const spec::ImageInput& input,
                    const ImageFile& file, const PredictionPrinter& print) {
  const data::Dataset set = read_images(file);
  const spec::Output output = model.description().output;
  const data::ImageInputs images(input, set.rows, set.columns);
  const auto steps = static_cast<std::size_t>(images.steps());
  std::vector<T> inputs(static_cast<std::size_t>(images.size())), outputs(model.outputs());
  if (file.steps) {
    images.fill<T>(set, 0, inputs);
    infer::Stream<T> stream = model.stream();
    const std::size_t width = model.inputs();
    for (std::size_t t = 0; t < steps; ++t) {
      stream.step(std::span(inputs).subspan(t * width, width), outputs);
      print.line(input.form == spec::Form::pixels ? "pixel" : "row",
                 static_cast<std::int64_t>(t + 1), prediction_of<T>(output, outputs));
    }
    return;
  }
  const std::int64_t first = file.index.value_or(0);
  for (std::int64_t i = 0; i < set.count; ++i) {
    images.fill<T>(set, i, inputs);
    model.run(inputs, 1, steps, std::span<T>(outputs));
    const Prediction p = prediction_of<T>(output, outputs);
    print.line("image", first + i, p, !file.index);
    if (file.index) print.classes(p);
  }
}

}  // namespace

void predict_images(const LoadedModel& loaded, const ImageFile& file,
                    const PredictionPrinter& print) {
  loaded.run([&]<class T>(const infer::Model<T>& model) {
    predict_images(model, std::get<spec::ImageInput>(loaded.spec.input), file, print);
  });
}

}  // namespace unroll::app
