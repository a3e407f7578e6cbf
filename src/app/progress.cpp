#include "app/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "app/json_line.h"
#include "app/messages.h"
#include "app/progress_line.h"
#include "app/result_text.h"
#include "app/terminal.h"
#include "core/printable.h"
#include "report/run_commands.h"
#include "run/metrics.h"

namespace unroll::app {
namespace {

using Json = nlohmann::ordered_json;

/// Flushes each line: somebody may be waiting for it.
void print_line(const std::string& line) {
  // fmt::print would throw. The run must go on; a failed write is reported at its end.
  std::fputs((line + '\n').c_str(), stdout);
  std::fflush(stdout);
}

/// "97.50" for a percentage, six digits for other numbers.
std::string number_of(const train::Metric& metric) {
  return metric.is_share() ? fmt::format("{:.2f}", metric.value)
                           : fmt::format("{:.6f}", metric.value);
}

}  // namespace

Progress::Progress(Output output, const data::Source& source, std::int64_t steps, std::int64_t made)
    : output_(output),
      dataset_(source.name()),
      remark_(source.remark()),
      steps_(steps),
      made_(made),
      last_(made),
      can_be_tested_(source.size(data::Split::test) > 0),
      terminal_(output == Output::text && stderr_is_terminal()),
      redraws_(terminal_ && can_redraw()),
      utf8_(shows_utf8()) {}

void Progress::step(const train::StepResult& result) {
  last_ = result.step;
  if (!redraws_) return;
  losses_.add(result.loss);
  const auto now = Clock::now();
  if (seconds(now - last_drawn_) < 0.1) return;
  last_drawn_ = now;
  const double rate = static_cast<double>(result.step - made_) / seconds(now - start_);
  const std::string line =
      text_of({result.step, steps_, result.loss, result.lr, tested_, rate, losses_},
              terminal_columns(), utf8_);
  // The terminal may become narrower between the question and the line, so it must not wrap.
  tell("\r\033[K\033[?7l{}\033[?7h", line);
  drawn_ = true;
}

void Progress::refit(const train::StepResult&, std::int64_t last_step) { steps_ = last_step; }

void Progress::clear() {
  if (!drawn_) return;
  tell("\r\033[K");
  drawn_ = false;
}

void Progress::evaluation(const train::StepResult& result, const train::Evaluation& e) {
  clear();
  tested_.clear();
  if (e.detailed) return detailed_evaluation(result, e);
  for (const train::Metric& m : e.metrics)
    tested_ += fmt::format("{}{} {}{}{}", tested_.empty() ? "" : "  ", m.name, number_of(m),
                           m.is_share() ? " %" : "", remark_);
  if (output_ == Output::text) {
    std::string line = fmt::format("Iteration: {}, Loss: {:.4f}", result.step, result.loss);
    const bool test = e.part == data::Split::test;
    const std::string part = title_of(e.part) + " ";
    if (!e.confusion) line += fmt::format(", {}loss: {:.6f}", part, e.loss);
    for (const train::Metric& m : e.metrics) {
      std::string name = test ? m.name : part + m.name;
      if (test) name[0] = static_cast<char>(name[0] - 'a' + 'A');
      line += fmt::format(", {}: {}", name, number_of(m));
    }
    print_line(line + remark_);
  } else if (output_ == Output::json) {
    print_line(run::metrics_line(result, e, dataset_));
  }
}

void Progress::detailed_evaluation(const train::StepResult& result, const train::Evaluation& e) {
  tested_ = first_result(e);
  if (output_ == Output::json) print_line(run::metrics_line(result, e, dataset_));
  // The test part follows at the end, in done().
  if (output_ != Output::text || e.part == data::Split::test) return;
  print_line(fmt::format("Iteration: {}, Loss: {:.4f}, {} loss: {:.4f}, {}{}", result.step,
                         result.loss, train::name_of(e.part), e.loss, tested_, remark_));
}

void Progress::diverged(const train::Diverged& d) {
  clear();
  const train::Evaluation& e = d.evaluation;
  if (output_ == Output::json) return print_line(run::metrics_line(d));
  const std::string when =
      d.kept.step > 0 ? fmt::format(" after step {}", d.kept.step) : " before the first step";
  for (const std::string& line : result_lines(e, when, remark_)) print_line(line);
}

void Progress::done(const train::Evaluation& e, std::int64_t kept_step, const Seconds& s,
                    const std::string& folder, const std::string& dataset) {
  clear();
  if (output_ == Output::json) {
    Json line{{"event", "done"}, {"steps", last_}, {"loss", e.loss}};
    if (kept_step != last_) line["kept_step"] = kept_step;
    run::add_metrics(line, e);
    line["dataset"] = dataset_;
    line["seconds"] = {{"loading", s.loading},
                       {"training", s.training},
                       {"testing", s.testing},
                       {"total", s.total}};
    line["out"] = folder;
    print_line(json_line(line));
    return;
  }
  for (const std::string& line : result_lines(e, "", remark_)) {
    print_line(line);
    // Whoever writes the results into a file sees them, too.
    if (terminal_ && ::isatty(STDOUT_FILENO) != 1) tell("{}\n", line);
  }
  if (output_ == Output::quiet) return;
  tell("{} steps in {:.2f} s: loading {:.2f}, training {:.2f}, testing {:.2f}\n", last_ - made_,
       s.total, s.loading, s.training, s.testing);
  if (kept_step != last_) tell("the weights are those after step {}\n", kept_step);
  if (terminal_) return;  // there is a summary
  if (can_be_tested_)
    tell("the run is in {}; test it again with: {}\n", printable(folder),
         report::eval_command(folder, dataset).command);
  else
    tell("the run is in {}\n", printable(folder));
}

}  // namespace unroll::app
