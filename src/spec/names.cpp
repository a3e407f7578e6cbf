// The names of the values of enumerations.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "core/suggest.h"
#include "spec/cells.h"
#include "unroll/core/error.h"
#include "unroll/spec/model_spec.h"

namespace unroll::spec {
namespace {

// In the order of the enumerations.
constexpr std::string_view kNonlinearities[] = {"tanh", "relu"};
constexpr std::string_view kReadouts[] = {"last", "mean", "max", "mean_last", "every_step"};
constexpr std::string_view kActivations[] = {"relu", "tanh", "sigmoid", "symlog"};
constexpr std::string_view kForms[] = {"rows", "pixels", "flat", "image"};
constexpr std::string_view kOutputs[] = {"logits", "scores", "values"};

template <class E, class Names>
E find_name(std::string_view what, std::string_view name, const Names& names) {
  const auto found = std::ranges::find(names, name);
  if (found == std::end(names))
    throw ValueError(what, fmt::format("'{}' is not known, expected one of {}{}", name,
                                       fmt::join(names, ", "), did_you_mean(name, names)));
  return static_cast<E>(std::distance(std::begin(names), found));
}

}  // namespace

std::string_view name_of(Nonlinearity f) { return kNonlinearities[static_cast<std::size_t>(f)]; }
std::string_view name_of(Cell cell) { return info_of(cell).name; }
std::string_view name_of(Readout r) { return kReadouts[static_cast<std::size_t>(r)]; }
std::string_view name_of(Activation f) { return kActivations[static_cast<std::size_t>(f)]; }
std::string_view name_of(Form form) { return kForms[static_cast<std::size_t>(form)]; }
std::string_view name_of(Output output) { return kOutputs[static_cast<std::size_t>(output)]; }

Nonlinearity nonlinearity_named(std::string_view name) {
  return find_name<Nonlinearity>("activation", name, kNonlinearities);
}
Cell cell_named(std::string_view name) {
  std::vector<std::string_view> names;
  for (const CellInfo& cell : cells()) names.push_back(cell.name);
  return find_name<Cell>("cell", name, names);
}
Readout readout_named(std::string_view name) {
  return find_name<Readout>("readout", name, kReadouts);
}
Activation activation_named(std::string_view name) {
  return find_name<Activation>("activation", name, kActivations);
}
Form form_named(std::string_view name) { return find_name<Form>("input", name, kForms); }
Output output_named(std::string_view name) { return find_name<Output>("output", name, kOutputs); }

}  // namespace unroll::spec
