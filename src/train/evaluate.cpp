#include "train/evaluate.h"

#include <algorithm>

#include "data/check_dataset.h"
#include "data/image_inputs.h"
#include "train/loss.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

// Images at a time: bounds memory, and large enough to keep all threads busy.
constexpr std::int64_t kBatch = 1024;

}  // namespace

template <class T>
Evaluation evaluate(const infer::Model<T>& model, const data::Dataset& set,
                    std::vector<T>* logits) {
  data::check_dataset("eval", set);
  const NoGrad no_grad;
  const spec::ModelSpec& spec = model.description();
  const auto* const input = std::get_if<spec::ImageInput>(&spec.input);
  if (!input) throw ShapeError("eval", "images given to a model that reads no images");
  const data::ImageInputs images(*input, set.rows, set.columns);
  const auto classes = static_cast<std::int64_t>(model.outputs());
  Evaluation result;
  result.total = set.count;
  if (logits) logits->clear();
  double loss = 0;
  std::vector<T> inputs;
  for (std::int64_t first = 0; first < set.count; first += kBatch) {
    const std::int64_t count = std::min(kBatch, set.count - first);
    inputs.resize(static_cast<std::size_t>(count * images.size()));
    images.fill(set, first, std::span<T>(inputs));
    const Tensor out = Tensor::empty({count, classes}, DTypeOf<T>::value);
    const auto values = out.values<T>();
    model.run(inputs, static_cast<std::size_t>(count), static_cast<std::size_t>(images.steps()),
              values);
    const std::vector<std::int64_t> labels(set.labels.begin() + first,
                                           set.labels.begin() + first + count);
    loss += loss_of(spec.output, out, Tensor::from(labels, {count}), nn::Reduction::sum).item();
    for (std::int64_t i = 0; i < count; ++i) {
      const auto row =
          values.subspan(static_cast<std::size_t>(i * classes), static_cast<std::size_t>(classes));
      const std::int64_t predicted = std::ranges::max_element(row) - row.begin();
      result.predictions.push_back(predicted);
      result.correct += predicted == labels[static_cast<std::size_t>(i)];
    }
    if (logits) logits->insert(logits->end(), values.begin(), values.end());
  }
  const std::int64_t terms = set.count * (spec.output == spec::Output::scores ? classes : 1);
  result.loss = loss / static_cast<double>(terms);
  return result;
}

ConfusionMatrix::ConfusionMatrix(const data::Dataset& set, const Evaluation& evaluation,
                                 std::int64_t class_count)
    : classes(std::max<std::int64_t>(class_count, set.classes)),
      counts(static_cast<std::size_t>(classes * classes)) {
  for (std::size_t i = 0; i < evaluation.predictions.size(); ++i)
    ++counts[static_cast<std::size_t>(set.labels[i] * classes + evaluation.predictions[i])];
}

ConfusionMatrix::Scores ConfusionMatrix::scores(std::int64_t of) const {
  std::int64_t present = 0, predicted = 0;
  for (std::int64_t c = 0; c < classes; ++c) {
    present += at(of, c);
    predicted += at(c, of);
  }
  const auto ratio = [](std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  const std::int64_t hits = at(of, of);
  return {ratio(hits, predicted), ratio(hits, present), ratio(2 * hits, present + predicted),
          present};
}

template Evaluation evaluate(const infer::Model<float>&, const data::Dataset&, std::vector<float>*);
template Evaluation evaluate(const infer::Model<double>&, const data::Dataset&,
                             std::vector<double>*);

}  // namespace unroll::train
