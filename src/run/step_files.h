// The listener that writes the weights after single steps.
#pragma once

#include <cstdint>

#include "nn/model_file.h"
#include "run/file_names.h"
#include "run/run_folder.h"
#include "train/listener.h"

namespace unroll::run {

/// Writes step_N.safetensors after each step N in Config::save_at. Folder and trainer must outlive
/// it.
class StepFiles : public train::Listener {
 public:
  StepFiles(RunFolder& folder, train::Trainer& trainer) : folder_(folder), trainer_(trainer) {}

  void save(std::int64_t step) override {
    folder_.save(step_file(step), nn::model_bytes(trainer_.description(), trainer_.parameters()));
  }

 private:
  RunFolder& folder_;
  train::Trainer& trainer_;
};

}  // namespace unroll::run
