// The lines of metrics.jsonl.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "train/trainer.h"

namespace unroll::run {

/// Of one run they are the same bytes whenever and however often it is made.
std::string metrics_line(const train::StepResult& step);
std::string metrics_line(const train::StepResult& step, const train::Evaluation& evaluation,
                         const std::string& dataset);
/// `kept` in it is the last good step, with its loss and accuracy on the test set.
std::string metrics_line(const train::Diverged& diverged);

/// The same metrics by the same names, for a line that is printed: of a share also `correct` and
/// `total`.
void add_metrics(nlohmann::ordered_json& line, const train::Evaluation& evaluation);

/// What of such lines was written up to the end of a step.
std::string_view lines_up_to(std::string_view lines, std::int64_t step);

}  // namespace unroll::run
