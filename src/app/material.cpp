#include "app/material.h"

#include "core/numerics.h"

namespace unroll::app {

Material load_material(const train::Config& config, const DataFlags& flags) {
  if (const auto task = train::find_task(config.dataset)) return {task, {}};
  const std::vector<std::string_view> tasks(std::begin(train::task_names),
                                            std::end(train::task_names));
  return {{}, flags.load(config.dataset, tasks)};
}

train::Trainer make_trainer(const train::Config& config, const Material& material) {
  if (material.task) return {config, train::task_problem(config)};
  return {config, material.sets->train, material.sets->test};
}

train::Provenance provenance_of(const Material& material) {
  if (material.task) return {"", "", numerics::revision};
  const Sets& sets = *material.sets;
  const auto both = [](const data::Dataset& set) {
    return set.images_sha256 + "+" + set.labels_sha256;
  };
  return {both(sets.train), both(sets.test), numerics::revision};
}

}  // namespace unroll::app
