// What training shows while it goes on.
#pragma once

#include <cstdint>
#include <string>

#include "core/clock.h"
#include "data/source.h"
#include "train/trainer.h"

namespace unroll::app {

enum class Output { text, json, quiet };

/// Results on stdout (the chapter's lines, or JSON); on a terminal also a line on stderr that is
/// redrawn: step, loss, accuracy, steps a second, time left.
class Progress : public train::Listener {
 public:
  /// `made` of the `steps` are already made.
  Progress(Output output, const data::Source& source, std::int64_t steps, std::int64_t made = 0);

  void step(const train::StepResult& result) override;
  void evaluation(const train::StepResult& result, const train::Evaluation& evaluation) override;
  void diverged(const train::Diverged& diverged);  ///< how good the weights are that are kept
  struct Seconds {
    double loading, training, testing, total;
  };
  /// `dataset` is what opens the source again.
  void done(const train::Evaluation& evaluation, const Seconds& seconds, const std::string& folder,
            const std::string& dataset);
  void clear();  ///< takes the redrawn line away

 private:
  Output output_;
  std::string dataset_, remark_;
  bool endless_;
  std::int64_t steps_, made_;
  bool terminal_;
  bool drawn_ = false;
  std::string tested_;  // the last test's result
  Clock::time_point start_ = Clock::now(), last_drawn_ = start_;
};

}  // namespace unroll::app
