#include "app/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/messages.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "run/metrics.h"
#include "train/task.h"

namespace unroll::app {
namespace {

using Json = nlohmann::ordered_json;

/// Lines are results that somebody may be waiting for.
void print_line(const std::string& line) {
  // Not fmt::print, which throws: the run goes on, and its end reports the failed write.
  std::fputs((line + '\n').c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace

Progress::Progress(Output output, std::string dataset, std::optional<train::Task> task,
                   std::int64_t steps, std::int64_t made)
    : output_(output),
      dataset_(std::move(dataset)),
      suffix_(task || dataset_ == "mnist" ? ""
                                          : fmt::format(" ({}, not MNIST)", printable(dataset_))),
      task_(task),
      steps_(steps),
      made_(made),
      terminal_(output == Output::text && ::isatty(STDERR_FILENO) == 1) {}

void Progress::step(const train::StepResult& result) {
  if (!terminal_) return;
  const auto now = Clock::now();
  if (seconds(now - last_drawn_) < 0.1) return;
  last_drawn_ = now;
  const double rate = static_cast<double>(result.step - made_) / seconds(now - start_);
  const double left = static_cast<double>(steps_ - result.step) / rate;
  const std::string accuracy =
      accuracy_ < 0 ? "" : fmt::format("  accuracy {:.2f} %{}", accuracy_, suffix_);
  tell("\r\033[Kstep {}/{}  loss {:.4f}{}  {:.0f} steps/s  {:.0f} s left", result.step, steps_,
       result.loss, accuracy, rate, left);
  drawn_ = true;
}

void Progress::clear() {
  if (!drawn_) return;
  tell("\r\033[K");
  drawn_ = false;
}

void Progress::evaluation(const train::StepResult& result, const train::Evaluation& e) {
  accuracy_ = e.accuracy();
  clear();
  if (output_ == Output::text) {
    const std::string tested = task_ ? fmt::format(", Test loss: {:.6f}", e.loss) : "";
    print_line(fmt::format("Iteration: {}, Loss: {:.4f}{}, Accuracy: {:.2f}{}", result.step,
                           result.loss, tested, e.accuracy(), suffix_));
  } else if (output_ == Output::json) {
    print_line(Json{
        {"event", "eval"},
        {"step", result.step},
        {"loss", e.loss},
        {"accuracy", e.accuracy()},
        {"correct", e.correct},
        {"total", e.total},
        {"train_loss", result.loss},
        {"dataset",
         dataset_}}.dump(-1, ' ', true));
  }
}

void Progress::diverged(const train::Diverged& d) {
  clear();
  const train::Evaluation& e = d.evaluation;
  if (output_ == Output::json) return print_line(run::metrics_line(d));
  const std::string of =
      d.kept.step > 0 ? fmt::format("after step {}", d.kept.step) : "before the first step";
  print_line(fmt::format("Test accuracy {}: {:.2f} % ({} of {} correct){}", of, e.accuracy(),
                         e.correct, e.total, suffix_));
  if (task_) print_line(fmt::format("Test {} {}: {:.6f}", train::name_of_loss(*task_), of, e.loss));
}

void Progress::done(const train::Evaluation& e, const Seconds& s, const std::string& folder,
                    const std::string& dataset) {
  clear();
  if (output_ == Output::json) {
    print_line(Json{
        {"event", "done"},
        {"steps", steps_},
        {"loss", e.loss},
        {"accuracy", e.accuracy()},
        {"correct", e.correct},
        {"total", e.total},
        {"dataset", dataset_},
        {"seconds",
         {{"loading", s.loading},
          {"training", s.training},
          {"testing", s.testing},
          {"total", s.total}}},
        {"out",
         folder}}.dump(-1, ' ', true, Json::error_handler_t::replace));
    return;
  }
  print_line(fmt::format("Test accuracy: {:.2f} % ({} of {} correct){}", e.accuracy(), e.correct,
                         e.total, suffix_));
  if (task_) print_line(fmt::format("Test {}: {:.6f}", train::name_of_loss(*task_), e.loss));
  if (output_ == Output::quiet) return;
  tell("{} steps in {:.2f} s: loading {:.2f}, training {:.2f}, testing {:.2f}\n", steps_ - made_,
       s.total, s.loading, s.training, s.testing);
  tell("the run is in {}; test it again with: unroll eval {}{}\n", printable(folder),
       shell_word(folder), task_ ? "" : " " + shell_word(dataset));
}

}  // namespace unroll::app
