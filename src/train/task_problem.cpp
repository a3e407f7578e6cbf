#include "train/describe.h"
#include "train/problem.h"
#include "train/task.h"

namespace unroll::train {
namespace {

class TaskProblem : public Problem {
 public:
  explicit TaskProblem(const Config& config)
      : spec_(describe_task(config)),
        task_(*find_task(config.dataset)),
        batch_size_(config.batch_size),
        steps_(config.steps),
        sequences_{.length = config.length, .seed = config.seed, .dtype = config.dtype} {}

  const spec::ModelSpec& description() const override { return spec_; }
  std::int64_t steps() const override { return steps_; }

  Examples batch(std::int64_t step, Generator&) override {
    const auto [inputs, targets] =
        make_batch(task_, sequences_, (step - 1) * batch_size_, batch_size_);
    return {inputs, targets};
  }

  Evaluation evaluate(const infer::Model<float>& model, Generator&) const override {
    return evaluate_task(model, task_);
  }
  Evaluation evaluate(const infer::Model<double>& model, Generator&) const override {
    return evaluate_task(model, task_);
  }

 private:
  spec::ModelSpec spec_;
  Task task_;
  std::int64_t batch_size_, steps_;
  data::SequenceTask sequences_;
};

}  // namespace

std::unique_ptr<Problem> task_problem(const Config& config) {
  return std::make_unique<TaskProblem>(config);
}

}  // namespace unroll::train
