#include "train/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/parallel.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/core/error.h"
#include "unroll/data/loader.h"
#include "unroll/nn/loss.h"

namespace unroll::train {
namespace {

// Images at a time: bounds memory, and large enough to keep all threads busy.
constexpr std::int64_t kBatch = 1024;

}  // namespace

namespace {

template <class T>
void fill_inputs(const spec::ModelSpec& spec, const data::Dataset& set, std::int64_t first,
                 std::span<T> inputs) {
  if (set.columns != spec.input_size)
    throw ShapeError("eval", fmt::format("images of {}x{} have {} pixels a row, the model reads {}",
                                         set.rows, set.columns, set.columns, spec.input_size));
  const auto narrow = data::pixel_values({spec.input_mean, spec.input_std});
  std::array<T, 256> values{};
  std::ranges::copy(narrow, values.begin());
  const std::uint8_t* pixels = set.image(first);
  constexpr std::size_t kPiece = 16 * 1024;
  parallel((inputs.size() + kPiece - 1) / kPiece, [&](std::size_t piece) {
    const std::size_t end = std::min(inputs.size(), (piece + 1) * kPiece);
    for (std::size_t i = piece * kPiece; i < end; ++i) inputs[i] = values[pixels[i]];
  });
}

}  // namespace

template <class T>
std::vector<T> inputs_of(const spec::ModelSpec& spec, const data::Dataset& set, std::int64_t first,
                         std::int64_t count) {
  std::vector<T> inputs(static_cast<std::size_t>(count * set.rows * set.columns));
  fill_inputs(spec, set, first, std::span<T>(inputs));
  return inputs;
}

template <class T>
Evaluation evaluate(const infer::Model<T>& model, const data::Dataset& set,
                    std::vector<T>* logits) {
  const NoGrad no_grad;
  const std::int64_t classes = model.description().outputs;
  Evaluation result;
  result.total = set.count;
  if (logits) logits->clear();
  double loss = 0;
  std::vector<T> inputs;
  for (std::int64_t first = 0; first < set.count; first += kBatch) {
    const std::int64_t count = std::min(kBatch, set.count - first);
    inputs.resize(static_cast<std::size_t>(count * set.rows * set.columns));
    fill_inputs(model.description(), set, first, std::span<T>(inputs));
    const Tensor out = Tensor::empty({count, classes}, DTypeOf<T>::value);
    const auto values = out.values<T>();
    model.run(inputs, static_cast<std::size_t>(count), static_cast<std::size_t>(set.rows), values);
    const std::vector<std::int64_t> labels(set.labels.begin() + first,
                                           set.labels.begin() + first + count);
    loss += nn::cross_entropy(out, Tensor::from(labels, {count}), {.reduction = nn::Reduction::sum})
                .item();
    for (std::int64_t i = 0; i < count; ++i) {
      const auto row =
          values.subspan(static_cast<std::size_t>(i * classes), static_cast<std::size_t>(classes));
      const std::int64_t predicted = std::ranges::max_element(row) - row.begin();
      result.predictions.push_back(predicted);
      result.correct += predicted == labels[static_cast<std::size_t>(i)];
    }
    if (logits) logits->insert(logits->end(), values.begin(), values.end());
  }
  result.loss = loss / static_cast<double>(set.count);
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

#define UNROLL_INSTANTIATE(T)                                                                   \
  template Evaluation evaluate(const infer::Model<T>&, const data::Dataset&, std::vector<T>*);  \
  template std::vector<T> inputs_of(const spec::ModelSpec&, const data::Dataset&, std::int64_t, \
                                    std::int64_t);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::train
