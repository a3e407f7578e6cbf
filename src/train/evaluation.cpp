#include "train/evaluation.h"

#include <algorithm>

namespace unroll::train {

std::string Metric::key() const {
  std::string key = name;
  for (char& c : key)
    c = c == ' ' ? '_' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return key;
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

const Metric& Evaluation::accuracy() const {
  static const Metric none{.name = "accuracy"};
  const auto found = std::ranges::find(metrics, none.name, &Metric::name);
  return found == metrics.end() ? none : *found;
}

}  // namespace unroll::train
