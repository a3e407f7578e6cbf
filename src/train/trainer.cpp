#include "train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/clock.h"
#include "core/numerics.h"
#include "data/order.h"
#include "tensor/tensor_impl.h"
#include "train/model_file.h"
#include "unroll/core/threads.h"
#include "unroll/data/loader.h"
#include "unroll/nn/init.h"
#include "unroll/nn/loss.h"
#include "unroll/optim/adam.h"
#include "unroll/optim/clip.h"
#include "unroll/optim/muon.h"
#include "unroll/optim/schedule.h"
#include "unroll/optim/sgd.h"

namespace unroll::train {
namespace {

/// Refuses what could not be held: the states of all layers at all steps for one batch.
void check_memory(const Config& config, const data::Dataset& set) {
  constexpr std::int64_t kMostStates = std::int64_t{1} << 30;
  const std::int64_t batch = std::min(config.batch_size, set.count);
  const std::int64_t each = config.layers * (set.rows + 1) * config.hidden;
  if (batch > kMostStates / each)
    throw ValueError("batch-size",
                     fmt::format("{} sequences of {} steps with {} hidden units in {} "
                                 "layers need more than {} states at once; use a "
                                 "smaller batch",
                                 batch, set.rows, config.hidden, config.layers, kMostStates));
}

spec::ModelSpec describe(const Config& config, const data::Dataset& set) {
  validate(config);
  check_memory(config, set);
  spec::ModelSpec spec;
  spec.input_size = set.columns;
  spec.hidden_size = config.hidden;
  spec.num_layers = config.layers;
  spec.nonlinearity = config.activation;
  spec.outputs = set.classes;
  spec.steps = set.rows;
  spec.input_mean = config.normalization.mean;
  spec.input_std = config.normalization.std;
  spec.dataset = set.name;
  return spec;
}

std::int64_t steps_of(const Config& config, const data::Dataset& set) {
  const std::int64_t per_epoch = (set.count + config.batch_size - 1) / config.batch_size;
  return config.epochs > 0 ? config.epochs * per_epoch : config.steps;
}

void set_initial_values(Classifier& model, InitialValues kind, Generator& generator) {
  if (kind == InitialValues::torch) return;
  for (const auto& layer : model.rnn.layers()) {
    if (kind == InitialValues::orthogonal) {
      nn::init::orthogonal(layer.weight_hh, generator);
      continue;
    }
    nn::init::identity(layer.weight_hh);
    nn::init::constant(layer.bias_ih, 0);
    nn::init::constant(layer.bias_hh, 0);
  }
}

std::unique_ptr<optim::Optimizer> make_optimizer(const Config& c, const Parameters& parameters) {
  switch (c.optimizer) {
    case Algorithm::adam:
      return std::make_unique<optim::Adam>(
          parameters,
          optim::AdamOptions{.lr = c.lr, .beta2 = c.beta2, .weight_decay = c.weight_decay});
    case Algorithm::adamw:
      return std::make_unique<optim::AdamW>(
          parameters,
          optim::AdamWOptions{.lr = c.lr, .beta2 = c.beta2, .weight_decay = c.weight_decay});
    case Algorithm::muon:
      return std::make_unique<optim::Muon>(
          parameters, optim::MuonOptions{.lr = c.lr,
                                         .momentum = c.momentum,
                                         .others = {.lr = c.lr_others > 0 ? c.lr_others : c.lr,
                                                    .beta2 = c.beta2,
                                                    .weight_decay = c.weight_decay}});
    case Algorithm::sgd:
      break;
  }
  return std::make_unique<optim::Sgd>(
      parameters,
      optim::SgdOptions{.lr = c.lr, .momentum = c.momentum, .weight_decay = c.weight_decay});
}

optim::Schedule make_schedule(ScheduleKind kind, std::int64_t steps) {
  switch (kind) {
    case ScheduleKind::linear:
      return optim::warmup_linear_schedule(steps);
    case ScheduleKind::cosine:
      return optim::cosine_schedule(steps);
    case ScheduleKind::constant:
      break;
  }
  return optim::constant_schedule();
}

bool all_finite(const Parameters& parameters) {
  for (const auto& p : parameters) {
    const bool finite = dispatch("train", p.value.dtype(), [&]<class T>(T*) {
      // x - x is 0 for every finite number, and the sum stays 0.
      T sum = 0;
      for (const T v : p.value.values<T>()) sum += v - v;
      return sum == 0;
    });
    if (!finite) return false;
  }
  return true;
}

/// A number for people: without the sign that NaN may carry.
std::string text_of(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{:.6g}", value);
}

std::string explain(const StepResult& failed, const StepResult& before, const Config& c) {
  std::string text = fmt::format("stopped at step {}: loss {}, gradient norm {}", failed.step,
                                 text_of(failed.loss), text_of(failed.grad_norm));
  if (before.step > 0)
    text += fmt::format(" (the step before: loss {}, gradient norm {})", text_of(before.loss),
                        text_of(before.grad_norm));
  text +=
      ". Gradients that flow back through many time steps are multiplied at each of them and can "
      "explode; one huge update then ruins the weights. Remedy: --clip-norm 1";
  // Clipping alone can't save a rate at which a single step of norm 1 throws the weights away.
  if (c.lr > 1 || c.clip_norm > 0)
    text += fmt::format(", and a smaller --lr ({} is too much here)", c.lr);
  return text;
}

}  // namespace

Diverged::Diverged(const StepResult& failed_step, const StepResult& before, const Config& config)
    : Error("train", explain(failed_step, before, config)), failed(failed_step) {}

Trainer::Trainer(const Config& config, const data::Dataset& train, const data::Dataset& test)
    : config_(config),
      train_(train),
      test_(test),
      spec_(describe(config, train)),
      generator_(config.seed, config.rng),
      model_(spec_, config.dtype, generator_, config.precision),
      parameters_(model_.parameters()),
      optimizer_(make_optimizer(config, parameters_)),
      steps_(steps_of(config, train)) {
  set_num_threads(config.threads);
  set_initial_values(model_, config.init, generator_);
  schedule_ = make_schedule(config.schedule, steps_);
  for (const auto& p : parameters_) before_update_.push_back(p.value.clone());
}

void Trainer::remember_weights() {
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    copy_into(before_update_[i], parameters_[i].value);
}

StepResult Trainer::make_step(std::int64_t step, const data::Batch& batch) {
  optimizer_->zero_grad();
  const Tensor images = batch.images.view({-1, train_.rows, train_.columns});
  const Tensor loss = nn::cross_entropy(model_(images), batch.labels);
  loss.backward();
  const StepResult result{step, loss.item(),
                          config_.clip_norm > 0
                              ? optim::clip_grad_norm(parameters_, config_.clip_norm)
                              : optim::grad_norm(parameters_)};
  if (!std::isfinite(result.loss) || !std::isfinite(result.grad_norm))
    throw Diverged(result, last_, config_);
  remember_weights();
  optimizer_->set_lr_factor(schedule_(step - 1));
  optimizer_->step();
  if (!all_finite(parameters_)) {
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      copy_into(parameters_[i].value, before_update_[i]);
    throw Diverged(result, last_, config_);
  }
  last_ = result;
  return result;
}

void Trainer::evaluate(std::int64_t step, double loss, const Observer& observer) {
  const auto start = Clock::now();
  // With PyTorch's numbers a pass through the test set draws as its DataLoader does. The native
  // order must not depend on how often somebody looks at the accuracy.
  if (config_.rng == Rng::torch) data::unshuffled_pass(generator_);
  const auto views = views_of(parameters_);
  evaluation_ = config_.dtype == DType::f32
                    ? train::evaluate(infer::Model<float>(spec_, views), test_)
                    : train::evaluate(infer::Model<double>(spec_, views), test_);
  times_.testing += seconds_since(start);
  if (observer.evaluation) observer.evaluation(step, loss, evaluation_);
}

bool Trainer::run(const Observer& observer) {
  data::Loader loader(train_, {.batch_size = config_.batch_size,
                               .shuffle = true,
                               .normalization = config_.normalization,
                               .dtype = config_.dtype,
                               .shift = config_.augment,
                               .shift_seed = config_.seed,
                               .generator = &generator_});
  std::int64_t step = 0;
  while (step < steps_) {
    auto start = Clock::now();  // the order and the batches are part of training
    for (const auto& batch : loader) {
      const StepResult result = make_step(++step, batch);
      times_.training += seconds_since(start);
      if (observer.step) observer.step(result);
      if (observer.save && std::ranges::find(config_.save_at, step) != config_.save_at.end())
        observer.save(step);
      const bool last = step == steps_;
      if (last || (config_.eval_every > 0 && step % config_.eval_every == 0))
        evaluate(step, result.loss, observer);
      if (last) break;
      if (observer.stop && observer.stop()) return false;
      start = Clock::now();
    }
  }
  return true;
}

}  // namespace unroll::train
