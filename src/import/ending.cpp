#include "import/ending.h"

#include <algorithm>
#include <cmath>

namespace unroll::importer {

std::string_view name_of(Ending ending) {
  return ending == Ending::softmax ? "softmax" : ending == Ending::log_softmax ? "log_softmax" : "";
}

std::optional<Ending> ending_named(std::string_view name) {
  for (const Ending ending : {Ending::softmax, Ending::log_softmax})
    if (name == name_of(ending)) return ending;
  return {};
}

void apply(Ending ending, std::size_t classes, std::span<double> outputs) {
  if (ending == Ending::none) return;
  for (std::size_t first = 0; first < outputs.size(); first += classes) {
    const std::span<double> row = outputs.subspan(first, classes);
    const double largest = std::ranges::max(row);
    double sum = 0;
    for (const double x : row) sum += std::exp(x - largest);
    const double logarithm = largest + std::log(sum);
    for (double& x : row) x = ending == Ending::softmax ? std::exp(x - logarithm) : x - logarithm;
  }
}

}  // namespace unroll::importer
