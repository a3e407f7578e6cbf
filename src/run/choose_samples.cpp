#include "run/choose_samples.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "data/image_inputs.h"
#include "data/in_batches.h"
#include "nn/batch_gradient.h"
#include "nn/model_file.h"
#include "train/evaluate.h"
#include "train/objective.h"
#include "train/states.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/infer/model.h"

namespace unroll::run {
namespace {

using Kind = data::TargetSpec::Kind;

constexpr std::size_t kMostSamples = 300, kMostBytes = 1'000'000, kMostWorst = 24;
constexpr std::int64_t kMostStates = 1 << 16;  // elements of one layer's states

/// One tested sample, with the model's answer.
struct Answer {
  std::int64_t index = 0, truth = 0, predicted = 0;  // classes are 0 for other targets
  double loss = 0;
};

/// What the model makes of all samples of a part.
std::vector<Answer> answers_of(const data::Source& source, data::Split part,
                               const train::Objective& objective,
                               const std::function<Tensor(const data::Examples&)>& run,
                               DType dtype) {
  const bool classes = source.target().kind == Kind::classes;
  std::vector<Answer> answers;
  data::in_batches(source, part, dtype, [&](const data::Examples& examples) {
    const Tensor outputs = run(examples).to(DType::f64);
    Tensor targets = examples.targets;
    if (targets.dtype() != DType::i64) targets = targets.to(DType::f64);
    const Tensor losses = objective.losses(outputs, targets);
    const auto terms = losses.values<double>(), values = outputs.values<double>();
    const auto count = static_cast<std::size_t>(outputs.size(0));
    const std::size_t each = terms.size() / count, width = values.size() / count;
    for (std::size_t n = 0; n < count; ++n) {
      const auto mine = terms.subspan(n * each, each);
      Answer answer{std::ssize(answers), 0, 0, std::accumulate(mine.begin(), mine.end(), 0.0)};
      if (classes) {
        const auto row = values.subspan(n * width, width);
        answer.truth = targets.values<std::int64_t>()[n];
        answer.predicted = std::ranges::max_element(row) - row.begin();
      }
      answers.push_back(answer);
    }
  });
  return answers;
}

/// The worst mistakes, the worst first. For other targets than classes, the largest losses.
std::vector<Answer> worst_of(std::vector<Answer> answers, bool classes) {
  if (classes) std::erase_if(answers, [](const Answer& a) { return a.truth == a.predicted; });
  std::ranges::stable_sort(answers, [](const Answer& a, const Answer& b) {
    return std::isnan(b.loss) ? false : std::isnan(a.loss) || a.loss > b.loss;
  });
  if (answers.size() > kMostWorst) answers.resize(kMostWorst);
  return answers;
}

/// The indices of the chosen samples, in order. `most` limits them.
std::set<std::int64_t> choose(const std::vector<Answer>& answers, const std::vector<Answer>& worst,
                              bool classes, std::size_t most) {
  std::set<std::int64_t> chosen;
  const auto take = [&](std::int64_t index) {
    if (chosen.size() < most) chosen.insert(index);
  };
  for (const Answer& answer : worst) take(answer.index);
  constexpr std::size_t kFirst = 16;
  for (std::size_t i = 0; i < std::min(kFirst, answers.size()); ++i) take(answers[i].index);
  if (!classes) return chosen;
  // A few of each cell, first one of every cell, then a second one.
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::int64_t>> cells;
  constexpr std::size_t kEach = 4;
  for (const Answer& answer : answers)
    if (auto& cell = cells[{answer.truth, answer.predicted}]; cell.size() < kEach)
      cell.push_back(answer.index);
  for (std::size_t round = 0; round < kEach; ++round)
    for (const auto& [cell, indices] : cells)
      if (round < indices.size()) take(indices[round]);
  return chosen;
}

/// The pixels, 0 to 255, of images in the form and order that the model reads.
Tensor pixels_of(const Tensor& inputs, const spec::ImageInput& image) {
  const std::int64_t count = inputs.size(0);
  const data::ImageInputs form(image, image.height, image.width);
  const auto order = form.order();
  const Tensor pixels = Tensor::empty({count, image.height, image.width}, DType::f32);
  const Tensor from = inputs.to(DType::f64).contiguous();
  const auto values = from.values<double>();
  float* const to = pixels.data<float>();
  const auto size = static_cast<std::size_t>(form.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t place = i % size;
    const std::size_t at = order.empty() ? place : static_cast<std::size_t>(order[place]);
    const double pixel = std::round((values[i] * image.std + image.mean) * 255);
    to[i - place + at] = static_cast<float>(std::clamp(pixel, 0.0, 255.0));
  }
  return pixels;
}

/// The states of the first samples, if they are not too many numbers.
std::map<std::string, Tensor> states_of_first(const spec::ModelSpec& spec,
                                              const Parameters& weights,
                                              const data::Examples& examples) {
  const Tensor& inputs = examples.inputs;
  const std::int64_t steps = spec::is_sequence(spec.input) ? inputs.size(1) : 0;
  std::int64_t widest = 0;
  for (const spec::LayerSpec& layer : spec.layers)
    if (const auto* r = std::get_if<spec::RecurrentSpec>(&layer))
      widest = std::max(widest, r->directions() * r->state_size());
  if (steps * widest == 0 || inputs.numel() == 0) return {};
  constexpr std::int64_t kFirst = 4;
  const std::int64_t count =
      std::min({kFirst, inputs.size(0), kMostStates / std::max<std::int64_t>(steps * widest, 1)});
  if (count == 0) return {};
  const BatchPart first{Shards(static_cast<std::size_t>(count), 1)};
  std::span<const std::int64_t> lengths = examples.lengths;
  if (!lengths.empty()) lengths = lengths.first(static_cast<std::size_t>(count));
  std::map<std::string, Tensor> states =
      train::states_of(spec, weights, nn::rows_of(inputs, first), lengths);
  for (auto& [name, tensor] : states) tensor = tensor.to(DType::f32).contiguous();
  return states;
}

}  // namespace

Samples choose_samples(train::Trainer& trainer) {
  const NoGrad no_grad;
  const data::Source& source = trainer.source();
  const spec::ModelSpec& spec = trainer.description();
  const Parameters weights = trainer.parameters();
  const auto views = nn::views_of(weights);
  const DType dtype = weights.front().value.dtype();
  std::function<Tensor(const data::Examples&)> run;
  if (dtype == DType::f32)
    run = [model = infer::Model<float>(spec, views)](const data::Examples& examples) {
      return train::outputs_of(model, examples);
    };
  else
    run = [model = infer::Model<double>(spec, views)](const data::Examples& examples) {
      return train::outputs_of(model, examples);
    };

  const data::Split part = trainer.last_evaluation().part;
  const data::TargetSpec target = source.target();
  const bool classes = target.kind == Kind::classes;
  const std::vector<Answer> answers = answers_of(source, part, trainer.objective(), run, dtype);
  const std::vector<Answer> worst = worst_of(answers, classes);
  Samples samples;
  samples.classes = target.names;
  if (answers.empty()) return samples;

  const spec::InputSpec input = source.input();
  const spec::ImageInput* image = spec::pixels_of(input);
  data::Examples examples;
  const std::vector<data::Pick> one = {{0}};
  source.batch(part, one, dtype, examples);
  const Tensor& inputs = examples.inputs;
  // An image is stored in bytes, tokens and classes in i64, other numbers in f32.
  const auto bytes_of = [](const Tensor& x) {
    return static_cast<std::size_t>(x.numel()) * (x.dtype() == DType::i64 ? 8 : 4);
  };
  const std::size_t bytes = (image ? static_cast<std::size_t>(inputs.numel()) : bytes_of(inputs)) +
                            bytes_of(examples.targets) + bytes_of(run(examples));
  const std::size_t most = std::min(kMostBytes / std::max<std::size_t>(bytes, 1), kMostSamples);
  samples.confusion = trainer.last_evaluation().confusion;
  if (most == 0) return samples;  // a single one is too large
  std::vector<data::Pick> picks;
  for (const std::int64_t index : choose(answers, worst, classes, most)) {
    picks.push_back({index});
    samples.indices.push_back(index);
    samples.losses.push_back(answers[static_cast<std::size_t>(index)].loss);
  }
  source.batch(part, picks, dtype, examples);
  samples.pixels = image != nullptr;
  samples.inputs = image                                   ? pixels_of(examples.inputs, *image)
                   : examples.inputs.dtype() == DType::i64 ? examples.inputs
                                                           : examples.inputs.to(DType::f32);
  samples.lengths = examples.lengths;
  samples.targets =
      examples.targets.dtype() == DType::i64 ? examples.targets : examples.targets.to(DType::f32);
  samples.outputs = run(examples).to(DType::f32);
  samples.states = states_of_first(spec, weights, examples);
  for (const Answer& answer : worst)
    if (const auto at = std::ranges::find(samples.indices, answer.index);
        at != samples.indices.end())
      samples.worst.push_back(at - samples.indices.begin());
  return samples;
}

}  // namespace unroll::run
