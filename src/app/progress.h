// What training shows while it goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/clock.h"
#include "train/config.h"
#include "train/trainer.h"

namespace unroll::app {

enum class Output { text, json, quiet };

/// Results on stdout (the chapter's lines, or JSON); on a terminal also a line on stderr that is
/// redrawn: step, loss, accuracy, steps a second, time left.
class Progress : public train::Listener {
 public:
  /// `dataset` as it is to be called; other images than MNIST's are named in every line with an
  /// accuracy. With a task lines have the test's loss too. `made` of the `steps` are already made.
  Progress(Output output, std::string dataset, std::optional<train::Task> task, std::int64_t steps,
           std::int64_t made = 0);

  void step(const train::StepResult& result) override;
  void evaluation(const train::StepResult& result, const train::Evaluation& evaluation) override;
  void diverged(const train::Diverged& diverged);  ///< how good the weights are that are kept
  struct Seconds {
    double loading, training, testing, total;
  };
  void done(const train::Evaluation& evaluation, const Seconds& seconds, const std::string& folder,
            const std::string& dataset);
  void clear();  ///< takes the redrawn line away

 private:
  Output output_;
  std::string dataset_, suffix_;
  std::optional<train::Task> task_;
  std::int64_t steps_, made_;
  bool terminal_;
  bool drawn_ = false;
  double accuracy_ = -1;
  Clock::time_point start_ = Clock::now(), last_drawn_ = start_;
};

}  // namespace unroll::app
