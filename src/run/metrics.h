// The lines of metrics.jsonl.
#pragma once

#include <cstdint>
#include <string>

#include "train/trainer.h"

namespace unroll::run {

/// Of one run they are the same bytes whenever and however often it is made.
std::string metrics_line(const train::StepResult& step);
std::string metrics_line(std::int64_t step, double loss, const train::Evaluation& evaluation,
                         const std::string& dataset);
std::string metrics_line(const train::Diverged& diverged);

}  // namespace unroll::run
