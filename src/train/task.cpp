#include "train/task.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/loss.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

// Outputs of adding within the tolerance, or of copy that have the target's place.
template <class T>
void count(Task task, const Tensor& outputs, const Tensor& targets, Evaluation& result) {
  const auto out = outputs.values<T>();
  if (task == Task::adding) {
    const auto sums = targets.values<T>();
    for (std::size_t i = 0; i < out.size(); ++i)
      result.correct += std::abs(out[i] - sums[i]) < adding_tolerance;
    result.total += targets.numel();
    return;
  }
  const auto symbols = targets.values<std::int64_t>();
  const auto classes = static_cast<std::size_t>(outputs.size(-1));
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    if (symbols[i] == data::no_target) continue;
    const auto row = out.subspan(i * classes, classes);
    result.correct += std::ranges::max_element(row) - row.begin() == symbols[i];
    ++result.total;
  }
}

}  // namespace

data::SequenceBatch make_batch(Task task, const data::SequenceTask& which, std::int64_t first,
                               std::int64_t count) {
  return task == Task::adding ? data::adding(which, first, count)
                              : data::copying(which, first, count);
}

spec::SeriesInput input_of(Task task, std::int64_t length) {
  if (task == Task::adding) return spec::SeriesInput{.features = 2, .steps = length};
  return spec::SeriesInput{.features = data::copy_alphabet,
                           .steps = length + 2 * data::copy_memory};
}

std::int64_t outputs_of(Task task) { return task == Task::adding ? 1 : data::copy_symbols; }

std::string_view name_of_loss(Task task) {
  return task == Task::adding ? "mean squared error" : "cross-entropy";
}

template <class T>
Evaluation evaluate_task(const infer::Model<T>& model, Task task) {
  constexpr std::int64_t kMostNumbers = 1 << 24;
  const NoGrad no_grad;
  const spec::ModelSpec& spec = model.description();
  const std::int64_t steps = spec::steps_of(spec.input);
  const std::int64_t length = task == Task::adding ? steps : steps - 2 * data::copy_memory;
  const auto inputs = static_cast<std::int64_t>(model.inputs()),
             outputs = static_cast<std::int64_t>(model.outputs());
  const bool values = spec.output == spec::Output::values;
  const bool every_step = spec::features_of(spec).back().kind == spec::Features::Kind::sequence;
  if (spec.input != spec::InputSpec(input_of(task, length)) || outputs != outputs_of(task) ||
      values != (task == Task::adding) || every_step != (task == Task::copy))
    throw ShapeError(
        "eval", fmt::format("the model is not one for {}: it reads {} numbers a step "
                            "and gives {} {}",
                            name_of(task), model.inputs(), outputs, spec::name_of(spec.output)));
  Evaluation result;
  double loss = 0;
  const std::int64_t at_once = std::clamp<std::int64_t>(
      kMostNumbers / std::max<std::int64_t>(1, steps * inputs), 1, test_sequences);
  for (std::int64_t first = 0; first < test_sequences; first += at_once) {
    const std::int64_t n = std::min(at_once, test_sequences - first);
    const auto [given, targets] = make_batch(
        task, {.length = length, .split = data::Split::test, .dtype = DTypeOf<T>::value}, first, n);
    const Tensor out =
        Tensor::empty(every_step ? Shape{n, steps, outputs} : Shape{n, outputs}, DTypeOf<T>::value);
    model.run(given.template values<T>(), static_cast<std::size_t>(n),
              static_cast<std::size_t>(steps), out.values<T>());
    loss += loss_of(spec.output, out, targets, nn::Reduction::sum).item();
    count<T>(task, out, targets, result);
  }
  result.loss = loss / static_cast<double>(result.total);
  return result;
}

template Evaluation evaluate_task(const infer::Model<float>&, Task);
template Evaluation evaluate_task(const infer::Model<double>&, Task);

}  // namespace unroll::train
