#include "run/training.h"

#include <span>
#include <string>

#include "core/clock.h"
#include "nn/model_file.h"
#include "run/choose_samples.h"
#include "run/file_names.h"
#include "run/metrics_file.h"
#include "run/prediction_table.h"
#include "run/samples.h"
#include "run/step_files.h"
#include "run/tensorboard.h"

namespace unroll::run {

End train_to_end(train::Trainer& trainer, RunFolder& folder,
                 const std::optional<train::Checkpoint>& from, const TrainingOptions& options) {
  MetricsFile metrics(folder, trainer.description().dataset);
  StepFiles step_files(folder, trainer);
  Checkpoints checkpoints(folder, trainer, options.every);
  TensorBoard tensorboard(folder, trainer);
  std::vector<train::Listener*> listeners = {&metrics, &step_files};
  if (options.tensorboard) listeners.push_back(&tensorboard);
  listeners.insert(listeners.end(), options.listeners.begin(), options.listeners.end());
  listeners.push_back(&checkpoints);

  End end;
  folder.begin(from, options.tensorboard);
  if (options.tensorboard) tensorboard.begin();
  try {
    if (!trainer.run(listeners)) {
      end.status = RunStatus::interrupted;
      checkpoints.write();
    }
    end.step = trainer.kept_step().step;
  } catch (const train::Diverged& diverged) {
    folder.log(diverged);
    folder.save_earlier_checkpoint(trainer.checkpoint());
    end.status = RunStatus::diverged;
    end.step = diverged.kept.step;
    end.diverged = diverged;
  }
  folder.end(end.status, end.step, nn::model_bytes(trainer.description(), trainer.parameters()));
  // After the model, which matters more. An interrupted run goes on later, and its user is waiting.
  if (end.status != RunStatus::interrupted) {
    const auto start = Clock::now();
    const Samples samples = choose_samples(trainer);
    trainer.add_testing(seconds_since(start));
    folder.save(samples_file, to_bytes(samples));
    if (const std::string table = prediction_table(trainer); !table.empty())
      folder.save(predictions_file, std::as_bytes(std::span(table)));
  }
  end.folder = folder.path();
  end.model = folder.file(model_file);
  end.evaluation = trainer.last_evaluation();
  return end;
}

}  // namespace unroll::run
