// The progress of training on the terminal.
#pragma once

#include <cstdint>
#include <string>

#include "app/sparkline.h"
#include "core/clock.h"
#include "data/source.h"
#include "train/trainer.h"

namespace unroll::app {

enum class Output { text, json, quiet };

/// Prints results to stdout, as the tutorial's lines or as JSON. If stderr is a terminal, it also
/// redraws a line there (progress_line.h), whether or not stdout is one. If only stderr is one, the
/// final results are shown on it, too.
class Progress : public train::Listener {
 public:
  /// `made`: steps that a resumed run has already done, of `steps` in total.
  Progress(Output output, const data::Source& source, std::int64_t steps, std::int64_t made = 0);

  bool redraws() const { return redraws_; }
  /// A resumed run made this step before. The bars of the loss begin with it.
  void earlier_step(double loss) { losses_.add(loss); }

  void step(const train::StepResult& result) override;
  void evaluation(const train::StepResult& result, const train::Evaluation& evaluation) override;
  void refit(const train::StepResult& best, std::int64_t last_step) override;
  void diverged(const train::Diverged& diverged);  ///< prints the test of the weights that are kept
  struct Seconds {
    double loading, training, testing, total;
  };
  /// `kept_step` made the weights; `dataset` is the name or path that opens the source again.
  void done(const train::Evaluation& evaluation, std::int64_t kept_step, const Seconds& seconds,
            const std::string& folder, const std::string& dataset);
  void clear();  ///< removes the redrawn line

 private:
  void detailed_evaluation(const train::StepResult& result, const train::Evaluation& e);

  Output output_;
  std::string dataset_, remark_;
  std::int64_t steps_, made_, last_;
  bool can_be_tested_;
  bool terminal_;  // stderr, for text
  bool redraws_, utf8_;
  bool drawn_ = false;
  std::string tested_;  // the last test's result
  LossHistory losses_;
  Clock::time_point start_ = Clock::now(), last_drawn_ = start_;
};

}  // namespace unroll::app
