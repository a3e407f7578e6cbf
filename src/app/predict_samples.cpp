#include "app/predict_samples.h"

#include <algorithm>
#include <vector>

#include "train/evaluate.h"
#include "unroll/data/sequence_tasks.h"
#include "unroll/infer/stream.h"

namespace unroll::app {
namespace {

const char* sample_name(const spec::InputSpec& input) {
  if (spec::pixels_of(input)) return "image";
  return spec::is_sequence(input) ? "sequence" : "sample";
}

const char* step_name(const spec::InputSpec& input) {
  const spec::ImageInput* image = spec::pixels_of(input);
  return !image ? "step" : image->form == spec::Form::pixels ? "pixel" : "row";
}

/// A model's outputs for one sample, (C) or (T, C), beside the targets; those may be empty.
template <class T>
struct Answer {
  std::span<const T> outputs;
  std::span<const T> values;              // targets of a regression
  std::span<const std::int64_t> classes;  // one, or one a step
  std::size_t width;                      // C
  bool every_step;                        // whether the model answers each step

  std::span<const T> at(std::size_t step) const { return outputs.subspan(step * width, width); }
};

template <class T>
void print_sample(const Samples& samples, spec::Output output, std::int64_t number,
                  const Answer<T>& answer, const PredictionPrinter& print) {
  const char* const kind = sample_name(samples.source.input());
  if (output == spec::Output::values)
    return print.values<T>(kind, number, answer.outputs, answer.values);
  if (answer.every_step) {
    std::vector<std::int64_t> predicted, wanted;
    for (std::size_t t = 0; t < answer.outputs.size() / answer.width; ++t) {
      if (!answer.classes.empty() && answer.classes[t] == data::no_target) continue;
      const auto best = prediction_of<T>(output, answer.at(t)).best;
      predicted.push_back(static_cast<std::int64_t>(best));
      if (!answer.classes.empty()) wanted.push_back(answer.classes[t]);
    }
    return print.classes_of_steps(kind, number, predicted, wanted);
  }
  const Prediction p = prediction_of<T>(output, answer.outputs);
  print.line(kind, number, p, !samples.alone,
             answer.classes.empty() ? std::nullopt : std::optional(answer.classes[0]));
  if (samples.alone) print.classes(p);
}

/// A prediction after each step of one sample, as a stream gives them.
template <class T>
void print_steps(const infer::Model<T>& model, const data::Examples& examples,
                 const PredictionPrinter& print) {
  const spec::ModelSpec& spec = model.description();
  infer::Stream<T> stream = model.stream();
  std::vector<T> outputs(model.outputs());
  const std::size_t width = model.inputs();
  const std::span<const T> inputs = examples.inputs.values<T>();
  for (std::size_t t = 0; (t + 1) * width <= inputs.size(); ++t) {
    stream.step(inputs.subspan(t * width, width), outputs);
    const char* const kind = step_name(spec.input);
    const auto number = static_cast<std::int64_t>(t + 1);
    if (spec.output == spec::Output::values)
      print.values<T>(kind, number, outputs, {});
    else
      print.line(kind, number, prediction_of<T>(spec.output, outputs));
  }
}

template <class T>
void predict(const infer::Model<T>& model, const Samples& samples, const PredictionPrinter& print) {
  const data::Source& source = samples.source;
  const std::size_t width = model.outputs();
  const bool every_step = spec::features_of(model.description()).back().is_sequence();
  data::Examples examples;
  std::vector<data::Pick> picks;
  const std::int64_t end = samples.first + samples.count;
  // The first sample shows how large one is.
  constexpr std::int64_t kMostNumbers = 1 << 22;
  std::int64_t at_once = 1;
  for (std::int64_t first = samples.first; first < end; first += std::ssize(picks)) {
    picks.clear();
    for (std::int64_t i = first; i < std::min(end, first + at_once); ++i) picks.push_back({i});
    source.batch(data::Split::test, picks, DTypeOf<T>::value, examples);
    at_once = std::clamp<std::int64_t>(kMostNumbers * std::ssize(picks) / examples.inputs.numel(),
                                       1, source.test_batch());
    if (samples.steps) return print_steps(model, examples, print);
    const Tensor outputs = train::outputs_of(model, examples);
    const std::size_t size = outputs.values<T>().size() / picks.size();
    for (std::size_t i = 0; i < picks.size(); ++i) {
      Answer<T> answer{outputs.values<T>().subspan(i * size, size), {}, {}, width, every_step};
      if (const Tensor& targets = examples.targets; targets.defined()) {
        const std::size_t each = static_cast<std::size_t>(targets.numel()) / picks.size();
        if (targets.dtype() == DType::i64)
          answer.classes = targets.values<std::int64_t>().subspan(i * each, each);
        else
          answer.values = targets.values<T>().subspan(i * each, each);
      }
      const std::int64_t number = samples.number + picks[i].index - samples.first;
      print_sample(samples, model.description().output, number, answer, print);
    }
  }
}

}  // namespace

void predict_samples(const LoadedModel& loaded, const Samples& samples,
                     const PredictionPrinter& print) {
  if (samples.source.target().size > 0) train::check_fits("predict", loaded.spec, samples.source);
  loaded.run([&]<class T>(const infer::Model<T>& model) { predict(model, samples, print); });
}

}  // namespace unroll::app
