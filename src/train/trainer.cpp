#include "train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/clock.h"
#include "core/numerics.h"
#include "tensor/tensor_impl.h"
#include "train/chunks.h"
#include "train/loss.h"
#include "train/model_file.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/threads.h"
#include "unroll/nn/init.h"
#include "unroll/optim/adagrad.h"
#include "unroll/optim/adam.h"
#include "unroll/optim/clip.h"
#include "unroll/optim/muon.h"
#include "unroll/optim/rmsprop.h"
#include "unroll/optim/schedule.h"
#include "unroll/optim/sgd.h"

namespace unroll::train {
namespace {

/// Every matrix anew. What one block of rows computes, a gate or a convolution's channels, has the
/// inputs and outputs that its values are scaled by.
void draw_matrices(const Parameters& parameters, InitialValues init, Generator& generator) {
  for (const Parameter& p : parameters) {
    if (p.value.rank() != 2 && p.value.rank() != 4) continue;
    const std::int64_t blocks = std::max(p.gates, 1);
    const Tensor stacked = p.value.detach().view({blocks, p.value.size(0) / blocks, -1});
    for (std::int64_t b = 0; b < blocks; ++b) {
      const Tensor block = stacked.select(0, b);
      if (init == InitialValues::xavier)
        nn::init::xavier_uniform(block, generator);
      else
        nn::init::kaiming_uniform(block, generator);
    }
  }
}

void set_initial_values(Classifier& model, const Config& config, Generator& generator) {
  if (config.init == InitialValues::torch) return;
  if (config.init == InitialValues::xavier || config.init == InitialValues::kaiming)
    return draw_matrices(model.parameters(), config.init, generator);
  for (const nn::Recurrent* recurrent : model.recurrent())
    for (const auto& layer : recurrent->layers()) {
      if (config.init == InitialValues::orthogonal) {
        const auto gates = static_cast<int>(layer.weight_hh.size(0) / config.hidden);
        nn::init::orthogonal(layer.weight_hh, generator, 1, gates);
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
          optim::AdamOptions{
              .lr = c.lr, .beta2 = c.beta2, .weight_decay = c.weight_decay, .amsgrad = c.amsgrad});
    case Algorithm::adamw:
      return std::make_unique<optim::AdamW>(
          parameters,
          optim::AdamWOptions{
              .lr = c.lr, .beta2 = c.beta2, .weight_decay = c.weight_decay, .amsgrad = c.amsgrad});
    case Algorithm::muon:
      return std::make_unique<optim::Muon>(
          parameters, optim::MuonOptions{.lr = c.lr,
                                         .momentum = c.momentum,
                                         .others = {.lr = c.lr_others > 0 ? c.lr_others : c.lr,
                                                    .beta2 = c.beta2,
                                                    .weight_decay = c.weight_decay}});
    case Algorithm::rmsprop:
      // Without momentum, as Hinton's: at the rate and momentum that suit Muon it does not learn.
      return std::make_unique<optim::RmsProp>(
          parameters,
          optim::RmsPropOptions{.lr = c.lr, .alpha = c.beta2, .weight_decay = c.weight_decay});
    case Algorithm::adagrad:
      return std::make_unique<optim::Adagrad>(
          parameters, optim::AdagradOptions{.lr = c.lr, .weight_decay = c.weight_decay});
    case Algorithm::sgd:
      break;
  }
  return std::make_unique<optim::Sgd>(
      parameters,
      optim::SgdOptions{.lr = c.lr, .momentum = c.momentum, .weight_decay = c.weight_decay});
}

optim::Schedule make_schedule(const Config& c, std::int64_t steps) {
  switch (c.schedule) {
    case ScheduleKind::linear:
      return optim::warmup_linear_schedule(steps);
    case ScheduleKind::cosine:
      return optim::cosine_schedule(steps);
    case ScheduleKind::step:
      return optim::step_schedule(c.gamma_every > 0 ? c.gamma_every : (steps + 2) / 3,
                                  c.gamma > 0 ? c.gamma : 0.1);
    case ScheduleKind::exponential:
      return optim::exponential_schedule(
          c.gamma > 0 ? c.gamma : numerics::pow(0.01, 1 / static_cast<double>(steps)));
    case ScheduleKind::one_cycle:
      return optim::one_cycle_schedule(steps);
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
    : Trainer(config, image_problem(config, train, test)) {}

Trainer::Trainer(const Config& config, std::unique_ptr<Problem> problem)
    : config_(config),
      problem_(std::move(problem)),
      spec_(problem_->description()),
      generator_(config.seed, config.rng),
      model_(spec_, generator_,
             {.dtype = config.dtype,
              .precision = config.precision,
              .dropout = config.dropout,
              .forget_bias = config.forget_bias,
              .regularisation = {.variational_dropout = {.input = config.variational_dropout,
                                                         .state = config.variational_dropout},
                                 .recurrent_dropout = config.recurrent_dropout,
                                 .weight_drop = config.weight_drop},
              .ar = config.ar,
              .tar = config.tar}),
      parameters_(model_.parameters()),
      optimizer_(make_optimizer(config, parameters_)),
      steps_(problem_->steps()) {
  set_num_threads(config.threads);
  set_initial_values(model_, config, generator_);
  schedule_ = make_schedule(config, steps_);
  for (const auto& p : parameters_) before_update_.push_back(p.value.clone());
}

void Trainer::remember_weights() {
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    copy_into(before_update_[i], parameters_[i].value);
}

StepResult Trainer::make_step(std::int64_t step, const Examples& examples) {
  std::ranges::fill(states_, nn::State{});
  if (config_.tbptt > 0) return make_truncated_step(step, examples);
  return update(step, objective(examples.inputs, examples.targets));
}

/// What a step minimises. The sequences go on from states_.
Tensor Trainer::objective(const Tensor& inputs, const Tensor& targets) {
  Tensor penalty;
  const Tensor loss = loss_of(spec_.output, model_(inputs, states_, penalty), targets);
  return penalty.defined() ? loss + penalty : loss;
}

// Chunks end where the sequence does, so that the last one, where the targets are, is whole.
StepResult Trainer::make_truncated_step(std::int64_t step, const Examples& examples) {
  const std::int64_t steps = examples.inputs.size(1);
  const bool every_step = examples.targets.rank() == 2 && examples.targets.dtype() == DType::i64;
  StepResult all{step, 0, 0};
  std::int64_t targets = 0;
  for (std::int64_t first = 0; first < steps;) {
    const std::int64_t count = (steps - first - 1) % config_.tbptt + 1;
    const Tensor inputs = steps_of(examples.inputs, first, count);
    const Tensor wanted = every_step ? steps_of(examples.targets, first, count) : examples.targets;
    first += count;
    const std::int64_t here = every_step ? count_targets(wanted) : first == steps;
    if (here == 0) {
      const NoGrad no_grad;
      Tensor penalty;
      model_(inputs, states_, penalty);
      continue;
    }
    const StepResult result = update(step, objective(inputs, wanted));
    all.loss += result.loss * static_cast<double>(here);
    all.grad_norm = std::max(all.grad_norm, result.grad_norm);
    targets += here;
  }
  all.loss /= static_cast<double>(targets);
  return last_ = all;
}

StepResult Trainer::update(std::int64_t step, const Tensor& loss) {
  optimizer_->zero_grad();
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
  const auto views = views_of(parameters_);
  evaluation_ = config_.dtype == DType::f32
                    ? problem_->evaluate(infer::Model<float>(spec_, views), generator_)
                    : problem_->evaluate(infer::Model<double>(spec_, views), generator_);
  times_.testing += seconds_since(start);
  if (observer.evaluation) observer.evaluation(step, loss, evaluation_);
}

Checkpoint Trainer::checkpoint() {
  Checkpoint c;
  c.last = last_;
  c.weights = parameters_;
  c.optimizer = optimizer_->state();
  c.generator = generator_.state();
  for (const nn::MaskSource* masks : model_.masks()) c.masks.push_back(masks->step());
  c.position = problem_->position();
  c.model = spec::to_json(spec_);
  return c;
}

void Trainer::resume(const Checkpoint& c) {
  const auto& masks = model_.masks();
  if (c.model != spec::to_json(spec_) || c.masks.size() != masks.size() || c.last.step < 1)
    throw FormatError("resume", "the checkpoint is one of another model");
  model_.load(c.weights);
  optimizer_->load_state(c.optimizer);
  generator_.load_state(c.generator);
  for (std::size_t i = 0; i < masks.size(); ++i) masks[i]->set_step(c.masks[i]);
  if (c.position) problem_->resume(*c.position, generator_);
  last_ = c.last;
}

bool Trainer::run(const Observer& observer) {
  for (std::int64_t step = last_.step + 1; step <= steps_; ++step) {
    const auto start = Clock::now();  // the order and the batches are part of training
    const StepResult result = make_step(step, problem_->batch(step, generator_));
    times_.training += seconds_since(start);
    if (observer.step) observer.step(result);
    if (observer.save && std::ranges::find(config_.save_at, step) != config_.save_at.end())
      observer.save(step);
    const bool last = step == steps_;
    if (last || (config_.eval_every > 0 && step % config_.eval_every == 0))
      evaluate(step, result.loss, observer);
    if (!last && observer.stop && observer.stop()) return false;
  }
  return true;
}

}  // namespace unroll::train
