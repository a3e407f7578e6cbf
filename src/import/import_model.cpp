#include "import/import_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "import/architecture.h"
#include "import/left_over.h"
#include "import/weight_names.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

/// The file's arrays by the names that the description gives them, and those that it has no name
/// for.
struct Described {
  std::map<std::string, io::ArrayView> arrays;
  std::vector<std::string> left_over;
};

/// The description's name of a weight of one of its layers; empty of others.
std::string described_name(const Architecture& architecture, const std::string& name) {
  for (const auto& [state, theirs] : architecture.states)
    if (name == theirs) return state;
  std::string described, source;
  for (const auto& [layer, theirs] : architecture.sources)
    if (name.starts_with(theirs + ".") && theirs.size() >= source.size()) {
      source = theirs;
      described = layer + name.substr(theirs.size());
    }
  return described;
}

spec::Sizes without_ones(spec::Sizes shape) {
  std::erase(shape, 1);
  return shape;
}

Described as_described(const Architecture& architecture, const WeightNames& names) {
  std::map<std::string, spec::Sizes> needed;
  for (auto& [name, shape] : spec::weights_of(architecture.spec)) needed[name] = std::move(shape);
  Described result;
  for (const auto& [name, array] : names.all()) {
    if (std::ranges::find(architecture.used, name) != architecture.used.end()) continue;
    const std::string described = described_name(architecture, name);
    const auto expected = needed.find(described);
    io::ArrayView view = *array;
    // Learnt states are saved with and without dimensions of 1.
    if (architecture.states.contains(described) && expected != needed.end() &&
        without_ones(view.shape) == without_ones(expected->second))
      view.shape = expected->second;
    if (expected == needed.end() || !result.arrays.emplace(described, view).second)
      result.left_over.push_back(name);
  }
  return result;
}

}  // namespace

ImportedModel import_model(const StateDict& state, std::optional<std::string_view> text,
                           const std::string& file) {
  if (state.arrays.empty())
    throw FormatError("import", fmt::format("{} has no tensors", state.name));
  const WeightNames names(state);
  const Architecture architecture =
      text ? read_architecture(*text, names, file) : guess_architecture(names);
  const Described described = as_described(architecture, names);

  std::map<std::string, spec::Sizes> shapes;
  for (const auto& [name, array] : described.arrays) shapes[name] = array.shape;
  std::string misfits = spec::differences(architecture.spec, shapes);
  const auto add = [&](const std::string& misfit) {
    misfits += (misfits.empty() ? "" : "; ") + misfit;
  };
  if (!described.left_over.empty()) add(say_left_over(names, described.left_over));
  ImportedModel model;
  model.spec = architecture.spec;
  model.ending = architecture.ending;
  for (const auto& [name, shape] : spec::weights_of(architecture.spec)) {
    const auto found = described.arrays.find(name);
    if (found == described.arrays.end() || found->second.shape != shape) continue;  // in misfits
    const io::ArrayView& array = found->second;
    if (!io::is_floating(array.type)) {
      add(fmt::format("{} has elements of type {}, expected floats", name,
                      io::name_of(array.type)));
      continue;
    }
    auto values = io::floats_of<float>(array);
    const auto bad = std::ranges::find_if(values, [](float v) { return !std::isfinite(v); });
    if (bad != values.end())
      add(fmt::format("{} has a number that is not finite in f32: {}", name, *bad));
    model.weights.push_back({name, shape, std::move(values)});
  }
  if (!misfits.empty())
    throw FormatError("import",
                      fmt::format("{}: the weights and the model differ: {}", state.name, misfits));
  return model;
}

infer::Model<float> ImportedModel::model() const {
  std::vector<io::ArrayView> views;
  for (const Weight& weight : weights) views.push_back(weight.view());
  return infer::Model<float>(spec, views);
}

void ImportedModel::save(const std::string& path) const {
  std::vector<io::ArrayView> views;
  for (const Weight& weight : weights) views.push_back(weight.view());
  io::write_safetensors(path, views, {{spec::ModelSpec::metadata_key, spec::to_json(spec)}});
}

}  // namespace unroll::importer
