// What a run is trained on and tested with.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/data_flags.h"
#include "train/config.h"
#include "train/trainer.h"

namespace unroll::app {

/// What the settings name: images in memory, or a task, which needs none.
struct Material {
  std::optional<train::Task> task;
  std::optional<Sets> sets;  // where it is no task

  std::string name() const { return task ? std::string(name_of(*task)) : sets->train.name; }
};

Material load_material(const train::Config& config, const DataFlags& flags);

/// The material must outlive the trainer.
train::Trainer make_trainer(const train::Config& config, const Material& material);

train::Provenance provenance_of(const Material& material);

}  // namespace unroll::app
