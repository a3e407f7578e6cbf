// The lines of metrics.jsonl.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
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

/// Two lines that say something else: their number, from 1, and their text, which is empty after
/// the last line.
struct OtherLine {
  std::int64_t number = 0;
  std::string written, again;
};
/// The first difference between the lines of a run and the lines that were made again. A line of
/// version 0.1.0 says the same with more digits, no epoch and no learning rate.
std::optional<OtherLine> first_other_line(std::string_view written, std::string_view again);

/// What of such lines was written up to the end of a step.
std::string_view lines_up_to(std::string_view lines, std::int64_t step);

}  // namespace unroll::run
