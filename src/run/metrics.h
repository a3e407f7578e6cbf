// The lines of metrics.jsonl.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "train/trainer.h"

namespace unroll::run {

/// A line of metrics.jsonl, and of --json. A run that is repeated has the same bytes. An evaluation
/// has a `part` if that is not the test part, and the last one has `baselines`.
std::string metrics_line(const train::StepResult& step);
std::string metrics_line(const train::StepResult& step, const train::Evaluation& evaluation,
                         const std::string& dataset);
/// The line of a divergence. Its `kept` is the last good step, with its loss and accuracy on the
/// same part as before. Its `reason` is the text of the error.
std::string metrics_line(const train::Diverged& diverged);
/// A line of an evaluation or a divergence as metrics.jsonl has it: with the inside of the model.
std::string with_inside(std::string line, const train::Evaluation& evaluation);

/// Adds the same metrics under the same names to a line of --json. A share also has `correct` and
/// `total`. Detailed results also have the `interval` of the accuracy and the `baselines`.
void add_metrics(nlohmann::ordered_json& line, const train::Evaluation& evaluation);

/// Two lines that differ: their number, from 1, and their texts. A text is empty after the last
/// line.
struct OtherLine {
  std::int64_t number = 0;
  std::string written, again;
};
/// The first difference between the lines of a run and the lines that were made again. Lines of
/// version 0.1.0 may have more digits, no epoch and no learning rate: that is no difference.
std::optional<OtherLine> first_other_line(std::string_view written, std::string_view again);

/// The lines up to the end of a step.
std::string_view lines_up_to(std::string_view lines, std::int64_t step);

}  // namespace unroll::run
