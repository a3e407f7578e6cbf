#include "app/material.h"

#include <fmt/format.h>

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

std::vector<std::string> differences(const train::Provenance& then, const train::Provenance& now) {
  std::vector<std::string> all;
  const auto compare = [&](const char* which, const std::string& a, const std::string& b) {
    if (a != b)
      all.push_back(fmt::format("the {} data is other data (its SHA-256 differs)", which));
  };
  compare("training", then.train_sha256, now.train_sha256);
  compare("test", then.test_sha256, now.test_sha256);
  if (then.numerics_revision != now.numerics_revision)
    all.push_back(fmt::format("numerics revision {} then, {} in this program",
                              then.numerics_revision, now.numerics_revision));
  return all;
}

}  // namespace unroll::app
