#include "import/import_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/list_text.h"
#include "import/architecture.h"
#include "import/left_over.h"
#include "import/weight_names.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

/// The file's arrays under the description's names. `left_over` lists the file's names of arrays
/// that the description does not have.
struct Described {
  std::map<std::string, io::ArrayView> arrays;
  std::vector<std::string> left_over;
};

/// Maps the file's name of each weight to its name in the description.
std::map<std::string_view, std::string> described_names(const Architecture& architecture,
                                                        const WeightNames& names) {
  std::map<std::string_view, std::string> described;
  for (const auto& [state, theirs] : architecture.states) described.emplace(theirs, state);
  std::set<std::string> sources;
  std::map<std::string_view, std::string_view> layers;
  for (const auto& [layer, theirs] : architecture.sources) {
    sources.insert(theirs);
    layers[theirs] = layer;
  }
  for (const auto& [name, theirs] : names.parts_of(sources))
    described.emplace(name, std::string(layers.at(theirs)).append(name.substr(theirs.size())));
  return described;
}

spec::Sizes without_ones(spec::Sizes shape) {
  std::erase(shape, 1);
  return shape;
}

Described as_described(const Architecture& architecture, const WeightNames& names) {
  std::map<std::string, spec::Sizes> needed;
  for (auto& [name, shape] : spec::weights_of(architecture.spec)) needed[name] = std::move(shape);
  const auto all = described_names(architecture, names);
  const std::set<std::string_view> used(architecture.used.begin(), architecture.used.end());
  Described result;
  for (const auto& [name, array] : names.all()) {
    if (used.contains(name)) continue;
    const auto found = all.find(name);
    const std::string described = found == all.end() ? "" : found->second;
    const auto expected = needed.find(described);
    io::ArrayView view = *array;
    // Files save learnt states with or without dimensions of size 1.
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
    throw FormatError("import", fmt::format("{} has no tensors, expected the weights of a model; "
                                            "save model.state_dict()",
                                            state.name));
  constexpr std::size_t kMostTensors = 1 << 16;  // three times as many as the largest model has
  if (state.arrays.size() > kMostTensors)
    throw FormatError("import",
                      fmt::format("{} has {} tensors, expected at most {}; leave out tensors that "
                                  "the network does not need: --ignore NAME",
                                  state.name, state.arrays.size(), kMostTensors));
  const WeightNames names(state);
  const Architecture architecture =
      text ? read_architecture(*text, names, file) : guess_architecture(names);
  const Described described = as_described(architecture, names);

  std::map<std::string, spec::Sizes> shapes;
  for (const auto& [name, array] : described.arrays) shapes[name] = array.shape;
  ListText misfits;
  if (std::string differences = spec::differences(architecture.spec, shapes); !differences.empty())
    misfits.add(std::move(differences));
  if (!described.left_over.empty()) misfits.add(say_left_over(names, described.left_over));
  ImportedModel model;
  model.spec = architecture.spec;
  model.ending = architecture.ending;
  for (const auto& [name, shape] : spec::weights_of(architecture.spec)) {
    const auto found = described.arrays.find(name);
    if (found == described.arrays.end() || found->second.shape != shape)
      continue;  // already in misfits
    const io::ArrayView& array = found->second;
    if (!io::is_floating(array.type)) {
      misfits.add(fmt::format("{} has elements of type {}, expected floats", name,
                              io::name_of(array.type)));
      continue;
    }
    auto values = io::floats_of<float>(array);
    const auto bad = std::ranges::find_if(values, [](float v) { return !std::isfinite(v); });
    if (bad != values.end())
      misfits.add(fmt::format("{} has a number that is not finite in f32: {}", name, *bad));
    model.weights.push_back({name, shape, std::move(values)});
  }
  if (!misfits.empty())
    throw FormatError("import", fmt::format("{}: the weights do not fit the model: {}", state.name,
                                            misfits.text("; ")));
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
