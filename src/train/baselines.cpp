#include "train/baselines.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "data/in_batches.h"
#include "train/objective.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::train {
namespace {

using Kind = data::TargetSpec::Kind;

/// The most counts of (word, class).
constexpr std::int64_t kMostCounts = std::int64_t{1} << 26;

/// Tests a prediction. `predict` gets a batch and the place for its outputs: logits or values.
Evaluation test(const data::Source& source, data::Split part,
                const std::function<void(const data::Examples&, std::span<double>)>& predict) {
  const data::TargetSpec target = source.target();
  const Objective objective(target,
                            target.has_values() ? spec::Output::values : spec::Output::logits);
  Objective::Score score(objective, source.series_of(part));
  data::in_batches(source, part, DType::f64, [&](const data::Examples& examples) {
    Shape shape = examples.targets.shape();
    if (!target.has_values())
      shape =
          shape.rank() == 1 ? Shape{shape[0], target.size} : Shape{shape[0], shape[1], target.size};
    const Tensor outputs = Tensor::zeros(shape, DType::f64);
    predict(examples, outputs.values<double>());
    score.add(outputs, examples.targets);
  });
  return score.result();
}

/// Appends the results of a prediction in these metrics.
void add(std::vector<Baseline>& to, std::string_view title, const Evaluation& tested,
         std::initializer_list<std::string_view> metrics) {
  for (const std::string_view name : metrics)
    if (const Metric* metric = tested.metric(name))
      to.push_back({std::string(title), std::string(name), metric->value});
}

/// How often each class stands beside each token, or beside all of them.
class Frequencies {
 public:
  Frequencies(std::int64_t tokens, std::int64_t classes)
      : classes_(static_cast<std::size_t>(classes)),
        counts_(static_cast<std::size_t>(tokens * classes)) {}

  void add(std::int64_t token, std::int64_t of) {
    ++counts_[static_cast<std::size_t>(token) * classes_ + static_cast<std::size_t>(of)];
  }
  /// The most frequent class beside a token, or `otherwise` if it has none.
  std::size_t most_frequent(std::int64_t token, std::size_t otherwise) const {
    const auto first = counts_.begin() +
                       static_cast<std::ptrdiff_t>(token) * static_cast<std::ptrdiff_t>(classes_);
    const auto most = std::max_element(first, first + static_cast<std::ptrdiff_t>(classes_));
    return *most == 0 ? otherwise : static_cast<std::size_t>(most - first);
  }

 private:
  std::size_t classes_;
  std::vector<std::int64_t> counts_;  // (tokens, classes)
};

std::vector<Baseline> of_classes(const data::Source& source, data::Split part) {
  const std::int64_t classes = source.target().size;
  const spec::InputSpec input = source.input();
  const auto* words = std::get_if<spec::TokenInput>(&input);
  const bool each_word =
      words && source.target().kind == Kind::step_classes && words->tokens <= kMostCounts / classes;
  Frequencies all(1, classes), of_words(each_word ? words->tokens : 0, classes);
  data::in_batches(source, data::Split::train, DType::f64, [&](const data::Examples& examples) {
    const auto targets = examples.targets.values<std::int64_t>();
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (targets[i] == data::no_target) continue;
      all.add(0, targets[i]);
      if (each_word) of_words.add(examples.inputs.values<std::int64_t>()[i], targets[i]);
    }
  });
  const std::size_t most = all.most_frequent(0, 0), width = static_cast<std::size_t>(classes);
  std::vector<Baseline> result;
  const auto always = test(source, part, [=](const data::Examples&, std::span<double> outputs) {
    for (std::size_t i = most; i < outputs.size(); i += width) outputs[i] = 1;
  });
  add(result, "most frequent class", always, {"accuracy", "accuracy of series"});
  if (!each_word) return result;
  const auto by_word =
      test(source, part, [&](const data::Examples& examples, std::span<double> outputs) {
        const auto tokens = examples.inputs.values<std::int64_t>();
        for (std::size_t i = 0; i < tokens.size(); ++i)
          outputs[i * width + of_words.most_frequent(tokens[i], most)] = 1;
      });
  add(result, "each word's most frequent class", by_word, {"accuracy"});
  return result;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

/// The middle one, or the mean of the two in the middle. Sorts the values.
double median_of(std::vector<double>& values) {
  std::ranges::sort(values);
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

std::vector<Baseline> of_values(const data::Source& source, data::Split part) {
  const auto width = static_cast<std::size_t>(source.target().size);
  std::vector<std::vector<double>> targets(width);
  data::in_batches(source, data::Split::train, DType::f64, [&](const data::Examples& examples) {
    std::size_t i = 0;
    for (const double target : examples.targets.values<double>()) {
      if (!std::isnan(target)) targets[i % width].push_back(target);
      ++i;
    }
  });
  if (std::ranges::any_of(targets, [](const auto& of_value) { return of_value.empty(); }))
    return {};
  std::vector<double> means, medians;
  for (std::vector<double>& of_value : targets) {
    means.push_back(mean_of(of_value));
    medians.push_back(median_of(of_value));
  }
  const auto always = [&](const std::vector<double>& values) {
    return test(source, part, [&](const data::Examples&, std::span<double> outputs) {
      for (std::size_t i = 0; i < outputs.size(); ++i) outputs[i] = values[i % width];
    });
  };
  std::vector<Baseline> result;
  add(result, "training mean", always(means), {"RMSE", "RMSE of series"});
  add(result, "training median", always(medians), {"mean absolute error"});
  return result;
}

}  // namespace

std::vector<Baseline> baselines(const data::Source& source, data::Split part) {
  const NoGrad no_grad;
  if (source.size(data::Split::train) == data::Source::endless || source.size(part) == 0 ||
      source.size(part) == data::Source::endless)
    return {};
  const data::TargetSpec target = source.target();
  if (target.kind == Kind::next_token) return {};
  return target.has_values() ? of_values(source, part) : of_classes(source, part);
}

}  // namespace unroll::train
