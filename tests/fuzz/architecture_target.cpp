// The architecture file of an import, for a state_dict with a layer of each kind.
#include <string>
#include <utility>
#include <vector>

#include "import/architecture.h"
#include "import/state_dict.h"
#include "target.h"

namespace unroll::fuzz {
namespace {

importer::StateDict weights() {
  importer::StateDict state;
  const auto add = [&](std::string name, std::vector<std::int64_t> shape) {
    std::size_t size = sizeof(float);
    for (const std::int64_t n : shape) size *= static_cast<std::size_t>(n);
    const auto& data = state.memory.emplace_back(size);
    state.arrays.push_back({std::move(name), io::ElementType::f32, std::move(shape), data});
  };
  add("mean", {3});
  add("conv.weight", {2, 1, 3, 3});
  add("steps.weight", {3, 1, 2});
  add("rnn.weight_ih_l0", {4, 3});
  add("rnn.weight_hh_l0", {4, 4});
  add("lstm.weight_ih_l0", {8, 4});
  add("lstm.weight_hh_l0", {8, 2});
  add("fc.weight", {2, 4});
  add("fc.bias", {2});
  return state;
}

}  // namespace

void architecture(Bytes bytes) {
  static const importer::StateDict state = weights();
  const importer::WeightNames names(state);
  importer::Architecture architecture;
  if (!accepts([&] { architecture = importer::read_architecture(text_of(bytes), names); })) return;
  require(spec::features_of(architecture.spec).size() == architecture.spec.layers.size() + 1,
          "an architecture is a whole model");
  require(spec::from_json(spec::to_json(architecture.spec)) == architecture.spec,
          "an architecture can be written as a model and read again");
}

}  // namespace unroll::fuzz
