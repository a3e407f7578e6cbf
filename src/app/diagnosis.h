// Prints what is wrong in a run, and the layers' numbers (--diagnose).
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "app/progress.h"
#include "train/config.h"
#include "train/diagnosis.h"
#include "train/listener.h"

namespace unroll::app {

/// "dead units: 62 % of ... Try a smaller --lr, or ..."
std::string text_of(const train::Finding& finding);

/// A table of the layers, and the gradient's norm at up to eight time steps.
std::string text_of(const train::Inside& inside);

/// Tells each kind of trouble once, at the first evaluation that shows it: on stderr, or as a line
/// of JSON. With `layers` it also prints the layers after every evaluation. Prints nothing when
/// quiet.
class Diagnosis : public train::Listener {
 public:
  Diagnosis(Output output, const train::Config& config, bool layers)
      : output_(output), config_(config), layers_(layers) {}

  void evaluation(const train::StepResult& step, const train::Evaluation& evaluation) override;
  /// The same for a run that diverged. The error itself was printed before.
  void diverged(const train::Diverged& diverged);

 private:
  void tell_new(const train::Signs& signs);
  void print_layers(std::int64_t step, const train::Evaluation& evaluation) const;

  Output output_;
  const train::Config& config_;
  bool layers_;
  std::set<std::string> told_;  // names of findings
};

}  // namespace unroll::app
