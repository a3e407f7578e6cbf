#include "run/repetition.h"

#include <span>

#include "data/sha256.h"
#include "nn/model_file.h"
#include "run/file_names.h"
#include "run/metrics.h"

namespace unroll::run {

void Repetition::step(const train::StepResult& result) {
  steps_ = result.step;
  metrics_ += metrics_line(result) + '\n';
}

void Repetition::save(std::int64_t step) {
  files_.compare_step(step_file(step),
                      nn::model_bytes(trainer_.description(), trainer_.parameters()));
}

void Repetition::evaluation(const train::StepResult& result, const train::Evaluation& evaluation) {
  const std::string line = metrics_line(result, evaluation, trainer_.description().dataset);
  metrics_ += with_inside(line, evaluation) + '\n';
}

bool Repetition::stop() {
  const bool kept = steps_ == manifest_.step;
  // A diverged run wrote its last checkpoint after it had gone back to this step.
  if (!kept || manifest_.status != RunStatus::diverged) compare_checkpoint(steps_);
  return kept && manifest_.status == RunStatus::interrupted;
}

void Repetition::diverged(const train::Diverged& diverged) {
  if (manifest_.status == RunStatus::diverged) compare_checkpoint(diverged.kept.step);
  metrics_ += with_inside(metrics_line(diverged), diverged.evaluation) + '\n';
}

void Repetition::compare_checkpoint(std::int64_t step) {
  const std::string name = checkpoint_file(step);
  if (!files_.lists(name)) return;
  train::Checkpoint checkpoint = trainer_.checkpoint();
  // Lines of another version say the same in other bytes.
  auto metrics = lines_up_to(metrics_, step);
  if (const auto there = lines_up_to(written_, step); !first_other_line(there, metrics))
    metrics = there;
  checkpoint.metrics_bytes = metrics.size();
  checkpoint.metrics_sha256 = data::sha256(std::as_bytes(std::span(metrics)));
  checkpoint.config = config_;
  files_.compare_step(name, train::to_bytes(checkpoint));
}

}  // namespace unroll::run
