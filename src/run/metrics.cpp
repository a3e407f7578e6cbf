#include "run/metrics.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace unroll::run {
namespace {

/// 17 significant digits give every f64 back; JSON has no NaN or infinity.
std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{:.17g}", value) : "null";
}

}  // namespace

std::string metrics_line(const train::StepResult& s) {
  return fmt::format(R"({{"event":"step","step":{},"loss":{},"grad_norm":{}}})", s.step,
                     number(s.loss), number(s.grad_norm));
}

std::string metrics_line(const train::StepResult& s, const train::Evaluation& e,
                         const std::string& dataset) {
  return fmt::format(
      R"({{"event":"eval","step":{},"loss":{},"accuracy":{},"correct":{},"total":{},"train_loss":{},"dataset":{}}})",
      s.step, number(e.loss), number(e.accuracy()), e.correct, e.total, number(s.loss),
      nlohmann::json(dataset).dump());
}

std::string metrics_line(const train::Diverged& d) {
  return fmt::format(
      R"({{"event":"diverged","step":{},"loss":{},"grad_norm":{},"kept":{{"step":{},"loss":{},"accuracy":{},"correct":{},"total":{}}}}})",
      d.failed.step, number(d.failed.loss), number(d.failed.grad_norm), d.kept.step,
      number(d.evaluation.loss), number(d.evaluation.accuracy()), d.evaluation.correct,
      d.evaluation.total);
}

std::string_view lines_up_to(std::string_view lines, std::int64_t step) {
  return lines.substr(0, lines.find(fmt::format(R"({{"event":"step","step":{},)", step + 1)));
}

}  // namespace unroll::run
