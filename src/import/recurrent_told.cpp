#include "import/recurrent_told.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "spec/from_weights.h"
#include "unroll/core/error.h"

namespace unroll::importer {

spec::RecurrentSpec recurrent_told(const WeightNames& weights, const std::string& from,
                                   spec::Cell cell) {
  std::optional<spec::RecurrentSpec> told;
  try {
    told = spec::recurrent_from_weights(weights.shapes(), from, {});
  } catch (const FormatError&) {
  }
  if (told && told->cell != cell)
    throw FormatError("import",
                      fmt::format("{0} is of type {1} by its weight_hh_l0 of shape [{2}], the "
                                  "architecture says {3}; write \"type\": \"{1}\"",
                                  from, spec::name_of(told->cell),
                                  fmt::join(weights.shapes().at(from + ".weight_hh_l0"), ", "),
                                  spec::name_of(cell)));
  if (told) return *told;
  const spec::Sizes& input = weights.shapes().at(from + ".weight_ih_l0");
  const auto projection = weights.shapes().find(from + ".weight_hr_l0");
  const std::int64_t gates = spec::RecurrentSpec{.cell = cell}.gates();
  std::int64_t hidden = input.empty() ? 0 : input[0] / gates, state = hidden;
  if (projection != weights.shapes().end() && projection->second.size() == 2) {
    state = projection->second[0];
    hidden = projection->second[1];
  }
  // An empty tensor may claim any size. recurrent_from_weights refuses implausible ones.
  constexpr std::int64_t kLargest = std::int64_t{1} << 31;
  const spec::Sizes hh = {gates * std::min(hidden, kLargest), state};
  return spec::recurrent_from_weights(weights.shapes(), from, {}, &hh);
}

}  // namespace unroll::importer
