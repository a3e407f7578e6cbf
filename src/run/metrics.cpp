#include "run/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/json.h"
#include "run/inside_json.h"
#include "unroll/core/error.h"

namespace unroll::run {
namespace {

using Json = nlohmann::ordered_json;

bool is_f32(double value) {
  return std::abs(value) <= std::numeric_limits<float>::max() &&
         static_cast<double>(static_cast<float>(value)) == value;
}

/// The shortest text that restores the number. JSON has no NaN or infinity, so null stands for
/// them.
std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

std::string number(std::int64_t value) { return fmt::format("{}", value); }

/// A loss of f32 needs only the digits of its type.
std::string loss_of(const train::StepResult& s) {
  return s.dtype == DType::f32 && is_f32(s.loss) ? fmt::format("{}", static_cast<float>(s.loss))
                                                 : number(s.loss);
}

/// "epoch":1,"lr":0.005 of a step; endless data has no epochs.
std::string schedule_of(const train::StepResult& s) {
  const std::string lr = fmt::format(R"("lr":{})", number(s.lr));
  return s.epoch > 0 ? fmt::format(R"("epoch":{},{})", s.epoch, lr) : lr;
}

/// Calls f(key, value) for each number of a test, in the order of the lines.
template <class F>
void for_numbers(const train::Evaluation& evaluation, F&& f) {
  for (const train::Metric& metric : evaluation.metrics) {
    f(metric.key(), metric.value);
    if (!metric.is_share() || &metric != &evaluation.accuracy()) continue;
    f("correct", metric.correct);
    f("total", metric.total);
  }
}

/// "accuracy":97.5,"correct":975,"total":1000, and so on, with a comma after each.
std::string metrics_text(const train::Evaluation& evaluation) {
  std::string text;
  for_numbers(evaluation, [&](const std::string& key, auto value) {
    text += fmt::format(R"("{}":{},)", key, number(value));
  });
  return text;
}

/// "part":"validation", with a comma; nothing for the test part.
std::string part_text(const train::Evaluation& e) {
  switch (e.part) {
    case data::Split::train:
      return R"("part":"train",)";
    case data::Split::validation:
      return R"("part":"validation",)";
    default:
      return {};
  }
}

/// ,"baselines":[{"title":"most frequent class","metric":"accuracy","value":14.3}]
std::string baselines_text(const train::Evaluation& e) {
  std::string text;
  for (const train::Baseline& b : e.baselines)
    text += fmt::format(R"({}{{"title":{},"metric":{},"value":{}}})", text.empty() ? "" : ",",
                        Json(b.title).dump(), Json(b.metric).dump(), number(b.value));
  return text.empty() ? text : fmt::format(R"(,"baselines":[{}])", text);
}

/// Whether a written value equals the one made again, up to the format of version 0.1.0.
bool says_the_same(const Json& written, const Json& again) {
  if (written.is_number() && again.is_number()) {
    const double a = written.get<double>(), b = again.get<double>();
    // Version 0.1.0 wrote f32 numbers with the digits of f64.
    return a == b || (is_f32(a) && static_cast<float>(b) == static_cast<float>(a));
  }
  if (!written.is_object() || !again.is_object()) return written == again;
  std::size_t missing = 0;  // older programs did not write these keys
  for (const char* key : {"epoch", "lr", "inside", "reason"})
    missing += again.contains(key) && !written.contains(key);
  if (written.size() + missing != again.size()) return false;
  for (const auto& [key, value] : written.items())
    if (const auto same = again.find(key); same == again.end() || !says_the_same(value, *same))
      return false;
  return true;
}

bool same_line(std::string_view written, std::string_view again) {
  if (written == again) return true;
  try {
    const auto read = [](std::string_view line) {
      return parse_json(
          line, [](std::string_view why) { throw FormatError("metrics", std::string(why)); });
    };
    return says_the_same(read(written), read(again));
  } catch (const FormatError&) {
    return false;
  }
}

}  // namespace

std::string metrics_line(const train::StepResult& s) {
  return fmt::format(R"({{"event":"step","step":{},"loss":{},"grad_norm":{},{}}})", s.step,
                     loss_of(s), number(s.grad_norm), schedule_of(s));
}

std::string metrics_line(const train::StepResult& s, const train::Evaluation& e,
                         const std::string& dataset) {
  return fmt::format(
      R"({{"event":"eval","step":{},{}"loss":{},{}"train_loss":{},{},"dataset":{}{}}})", s.step,
      part_text(e), number(e.loss), metrics_text(e), loss_of(s), schedule_of(s),
      Json(dataset).dump(), baselines_text(e));
}

std::string metrics_line(const train::Diverged& d) {
  std::string kept = metrics_text(d.evaluation);
  if (!kept.empty()) kept = "," + kept.substr(0, kept.size() - 1);
  return fmt::format(
      R"({{"event":"diverged","step":{},"loss":{},"grad_norm":{},{},"kept":{{"step":{},{}"loss":{}{}}},"reason":{}}})",
      d.failed.step, loss_of(d.failed), number(d.failed.grad_norm), schedule_of(d.failed),
      d.kept.step, part_text(d.evaluation), number(d.evaluation.loss), kept,
      Json(d.reason()).dump());
}

std::string with_inside(std::string line, const train::Evaluation& e) {
  if (!e.inside) return line;
  line.pop_back();
  return line + fmt::format(R"(,"inside":{}}})", to_json(*e.inside));
}

void add_metrics(nlohmann::ordered_json& line, const train::Evaluation& evaluation) {
  for_numbers(evaluation, [&](const std::string& key, auto value) { line[key] = value; });
  if (!evaluation.detailed) return;
  if (const train::Metric& share = evaluation.accuracy(); share.is_share()) {
    const train::Interval interval = train::interval_of(share);
    line["interval"] = {interval.low, interval.high};
  }
  for (const train::Baseline& b : evaluation.baselines)
    line["baselines"].push_back({{"title", b.title}, {"metric", b.metric}, {"value", b.value}});
}

std::optional<OtherLine> first_other_line(std::string_view written, std::string_view again) {
  const auto take_line = [](std::string_view& lines) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    return line;
  };
  for (std::int64_t number = 1; !written.empty() || !again.empty(); ++number) {
    const std::string_view a = take_line(written), b = take_line(again);
    if (!same_line(a, b)) return OtherLine{number, std::string(a), std::string(b)};
  }
  return std::nullopt;
}

std::string_view lines_up_to(std::string_view lines, std::int64_t step) {
  return lines.substr(0, lines.find(fmt::format(R"({{"event":"step","step":{},)", step + 1)));
}

}  // namespace unroll::run
