// The names of a run's files.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace unroll::run {

inline constexpr const char *config_file = "config.json", *metrics_file = "metrics.jsonl",
                            *model_file = "model.safetensors",
                            *samples_file = "samples.safetensors",
                            *predictions_file = "predictions.csv",
                            *events_file = "events.out.tfevents.0.unroll";
inline constexpr const char *checkpoint_start = "checkpoint_", *step_start = "step_",
                            *tensors_ending = ".safetensors";

/// A checkpoint after a step: "checkpoint_100.safetensors".
inline std::string checkpoint_file(std::int64_t step) {
  return fmt::format("{}{}{}", checkpoint_start, step, tensors_ending);
}
/// The weights after a step: "step_100.safetensors".
inline std::string step_file(std::int64_t step) {
  return fmt::format("{}{}{}", step_start, step, tensors_ending);
}

}  // namespace unroll::run
