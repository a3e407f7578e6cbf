#include "app/prediction.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/numerics.h"

namespace unroll::app {

template <class T>
Prediction prediction_of(spec::Output kind, std::span<const T> outputs) {
  const auto largest = std::ranges::max_element(outputs);
  Prediction result{
      static_cast<std::size_t>(largest - outputs.begin()), {}, kind == spec::Output::scores};
  if (result.scores) {
    result.values.assign(outputs.begin(), outputs.end());
    return result;
  }
  double total = 0;
  for (const T logit : outputs) {
    result.values.push_back(numerics::exp(static_cast<double>(logit - *largest)));
    total += result.values.back();
  }
  for (double& p : result.values) p /= total;
  return result;
}

template Prediction prediction_of(spec::Output, std::span<const float>);
template Prediction prediction_of(spec::Output, std::span<const double>);

void PredictionPrinter::line(const char* kind, std::int64_t number, const Prediction& p,
                             bool with_all) const {
  if (json) {
    const nlohmann::ordered_json line = {{"event", "prediction"},
                                         {kind, number},
                                         {"class", p.best},
                                         {p.scores ? "scores" : "probabilities", p.values}};
    fmt::print("{}\n", line.dump());
  } else {
    fmt::print("{} {}: class {}, {} {:.4f}", kind, number, p.best, p.name(), p.values[p.best]);
    if (with_all) fmt::print(" of {:.4f}", fmt::join(p.values, " "));
    fmt::print("\n");
  }
}

void PredictionPrinter::classes(const Prediction& p) const {
  if (json) return;
  for (std::size_t c = 0; c < p.values.size(); ++c)
    fmt::print("  class {}: {:.4f}\n", c, p.values[c]);
}

}  // namespace unroll::app
