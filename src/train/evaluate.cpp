#include "train/evaluate.h"

#include <fmt/format.h>

#include <span>

#include "core/printable.h"
#include "data/in_batches.h"
#include "tensor/tensor_impl.h"
#include "train/objective.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

/// The inputs as infer::Model expects them: tokens become floats.
template <class T>
std::span<const T> numbers_of(const Tensor& inputs, std::vector<T>& tokens) {
  if (inputs.dtype() != DType::i64) return inputs.values<T>();
  const auto values = inputs.values<std::int64_t>();
  tokens.assign(values.begin(), values.end());
  return tokens;
}

}  // namespace

void check_fits(std::string_view operation, const spec::ModelSpec& spec,
                const data::Source& source) {
  using Kind = data::TargetSpec::Kind;
  const data::TargetSpec target = source.target();
  const spec::Features needed = spec::features_of(spec.input),
                       given = spec::features_of(source.input());
  const std::int64_t outputs = spec::outputs_of(spec);
  const bool every_step = spec::features_of(spec).back().is_sequence();
  const bool same_steps = spec::steps_of(spec.input) == 0 || spec::steps_of(source.input()) == 0 ||
                          spec::steps_of(spec.input) == spec::steps_of(source.input());
  if (needed != given || !same_steps || every_step != target.every_step() ||
      (spec.output == spec::Output::values) != target.has_values() ||
      (outputs != target.size && target.kind != Kind::classes))
    throw ShapeError(
        operation, fmt::format("the model does not fit {}: it reads {} numbers a step and gives {} "
                               "{}",
                               printable(source.name()), spec::inputs_of(spec), outputs,
                               spec::name_of(spec.output)));
  if (outputs != target.size)
    throw ShapeError(operation, fmt::format("the model has {} outputs, {} has {} classes", outputs,
                                            printable(source.name()), target.size));
}

template <class T>
Tensor outputs_of(const infer::Model<T>& model, const data::Examples& examples) {
  const spec::ModelSpec& spec = model.description();
  const std::int64_t count = examples.inputs.size(0);
  const std::int64_t steps = spec::is_sequence(spec.input) ? examples.inputs.size(1) : 1;
  const auto width = static_cast<std::int64_t>(model.outputs());
  const bool every_step = spec::features_of(spec).back().is_sequence();
  const Tensor out = Tensor::empty(every_step ? Shape{count, steps, width} : Shape{count, width},
                                   DTypeOf<T>::value);
  std::vector<T> tokens;
  const std::vector<std::size_t> lengths(examples.lengths.begin(), examples.lengths.end());
  model.run(numbers_of(examples.inputs, tokens), static_cast<std::size_t>(count),
            static_cast<std::size_t>(steps), out.values<T>(), lengths);
  return out;
}

template Tensor outputs_of(const infer::Model<float>&, const data::Examples&);
template Tensor outputs_of(const infer::Model<double>&, const data::Examples&);

namespace {

/// Scores the batches that walk(f) gives to f(examples). f returns the model's outputs.
template <class T, class Walk>
Evaluation scored(const infer::Model<T>& model, const data::Source& source, data::Split part,
                  std::span<const std::int64_t> series_of, ValueLoss of_values, Walk&& walk) {
  const NoGrad no_grad;
  const spec::ModelSpec& spec = model.description();
  check_fits("eval", spec, source);
  const Objective objective(source.target(), spec.output, of_values);
  Objective::Score score(objective, series_of);
  walk([&](const data::Examples& examples) {
    const Tensor out = outputs_of(model, examples);
    score.add(out, examples.targets);
    return out;
  });
  Evaluation result = score.result();
  result.part = part;
  return result;
}

}  // namespace

template <class T>
Evaluation evaluate(const infer::Model<T>& model, const data::Source& source, data::Split part,
                    std::vector<T>* outputs, ValueLoss of_values) {
  return scored(model, source, part, source.series_of(part), of_values, [&](auto&& add) {
    if (outputs) outputs->clear();
    data::in_batches(source, part, DTypeOf<T>::value, [&](const data::Examples& examples) {
      const Tensor out = add(examples);
      const auto values = out.template values<T>();
      if (outputs) outputs->insert(outputs->end(), values.begin(), values.end());
    });
  });
}

template <class T>
Evaluation evaluate_samples(const infer::Model<T>& model, const data::Source& source,
                            data::Split part, std::span<const std::int64_t> samples,
                            ValueLoss of_values) {
  // The series of the samples, counted from 0. Windows of one series are neighbours.
  const std::span<const std::int64_t> all = source.series_of(part);
  std::vector<std::int64_t> series_of;
  for (std::size_t i = 0; i < samples.size() && !all.empty(); ++i) {
    const auto series = [&](std::size_t k) { return all[static_cast<std::size_t>(samples[k])]; };
    const bool is_new = i > 0 && series(i) != series(i - 1);
    series_of.push_back(i == 0 ? 0 : series_of.back() + (is_new ? 1 : 0));
  }
  return scored(model, source, part, series_of, of_values, [&](auto&& add) {
    data::in_batches(source, part, samples, DTypeOf<T>::value, add);
  });
}

template Evaluation evaluate_samples(const infer::Model<float>&, const data::Source&, data::Split,
                                     std::span<const std::int64_t>, ValueLoss);
template Evaluation evaluate_samples(const infer::Model<double>&, const data::Source&, data::Split,
                                     std::span<const std::int64_t>, ValueLoss);

template Evaluation evaluate(const infer::Model<float>&, const data::Source&, data::Split,
                             std::vector<float>*, ValueLoss);
template Evaluation evaluate(const infer::Model<double>&, const data::Source&, data::Split,
                             std::vector<double>*, ValueLoss);

}  // namespace unroll::train
