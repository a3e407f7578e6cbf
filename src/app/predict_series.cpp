#include "app/predict_series.h"

#include <fmt/format.h>

#include <string_view>

#include "app/series_answers.h"
#include "app/usage_error.h"
#include "core/file.h"
#include "data/in_batches.h"
#include "train/evaluate.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/infer/stream.h"
#include "unroll/io/npy.h"

namespace unroll::app {
namespace {

/// The outputs of all samples as an array, (N, C).
template <class T>
void write_outputs(const infer::Model<T>& model, const data::Source& source,
                   const std::string& path) {
  if (spec::features_of(model.description()).back().is_sequence())
    throw UsageError(
        fmt::format("--out {}: the model answers every step, and series have different lengths; "
                    "name a .csv",
                    path));
  std::vector<T> all;
  run::for_predictions<T>(model, source, data::Split::test,
                          [&](std::string_view, std::int64_t, std::span<const T> outputs) {
                            all.insert(all.end(), outputs.begin(), outputs.end());
                          });
  io::write_npy(path, {source.size(data::Split::test), static_cast<std::int64_t>(model.outputs())},
                std::span<const T>(all));
}

/// The answers after each step, as a stream gives them.
template <class T>
std::string answers_of_steps(const infer::Model<T>& model, const data::Source& source,
                             SeriesAnswers& answers) {
  const auto names = source.names(data::Split::test);
  infer::Stream<T> stream = model.stream();
  std::vector<T> outputs(model.outputs());
  const std::size_t width = model.inputs();
  std::string text;
  data::Examples examples;
  for (std::int64_t i = 0; i < source.size(data::Split::test); ++i) {
    const data::Pick pick{i};
    source.batch(data::Split::test, {&pick, 1}, DTypeOf<T>::value, examples);
    // Tokens are whole numbers.
    const Tensor inputs = examples.inputs.to(DTypeOf<T>::value);
    const std::span<const T> values = inputs.values<T>();
    stream.reset();
    for (std::size_t t = 0; (t + 1) * width <= values.size(); ++t) {
      stream.step(values.subspan(t * width, width), outputs);
      answers.add<T>(text, names[static_cast<std::size_t>(i)], 1, outputs,
                     static_cast<std::int64_t>(t + 1));
    }
  }
  return text;
}

template <class T>
std::string answers_of(const infer::Model<T>& model, const data::Source& source,
                       const PredictSeries& what) {
  SeriesAnswers answers(model.description(), what.each_step, what.json);
  if (what.each_step) return answers.header() + answers_of_steps(model, source, answers);
  std::string text = answers.header();
  run::for_predictions<T>(
      model, source, data::Split::test,
      [&](std::string_view series, std::int64_t window, std::span<const T> outputs) {
        answers.add(text, series, window, outputs);
      });
  return text;
}

}  // namespace

void predict_series(const LoadedModel& loaded, const DataFlags& data, const PredictSeries& what) {
  data::SourceOptions options = loaded.source_options(false);
  what.table.apply_to(options.series);
  const auto source = data.open(what.file, options, false);
  const NoGrad no_grad;
  loaded.run([&]<class T>(const infer::Model<T>& model) {
    if (what.out.ends_with(".npy")) return write_outputs(model, *source, what.out);
    const std::string text = answers_of(model, *source, what);
    if (what.out.empty())
      fmt::print("{}", text);
    else
      write_file("predict", what.out, std::string_view(text));
  });
  tell_note(*source);
}

}  // namespace unroll::app
