#include "train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>

#include "autograd/elementwise.h"
#include "core/clock.h"
#include "core/parallel.h"
#include "data/order.h"
#include "nn/model_file.h"
#include "tensor/tensor_impl.h"
#include "train/baselines.h"
#include "train/chunks.h"
#include "train/describe.h"
#include "train/divergence.h"
#include "train/initial_values.h"
#include "train/optimizers.h"
#include "train/trained_parameters.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/core/threads.h"
#include "unroll/optim/clip.h"

namespace unroll::train {
namespace {

bool all_finite(const Tensor& tensor) {
  return dispatch("train", tensor.dtype(), [&]<class T>(T*) {
    const std::span<const T> all = raw_values<T>(tensor);
    std::atomic<bool> finite = true;
    parallel_pieces(all.size(), autograd::kElementsPerTask,
                    [&finite, all](std::size_t begin, std::size_t end) {
                      // x - x is 0 for every finite number, and NaN for the others. Whole numbers,
                      // because the compiler does not vectorise a sum of others.
                      std::int32_t others = 0;
                      for (const T v : all.subspan(begin, end - begin))
                        others |= v - v == 0 ? 0 : 1;
                      if (others != 0) finite.store(false, std::memory_order_relaxed);
                    });
    return finite.load();
  });
}

/// The accuracy of always the most frequent class, in percent; nothing if it is unknown.
std::optional<double> chance_of(const Evaluation& e) {
  if (!e.confusion) return {};
  std::int64_t most = 0, all = 0;
  for (std::int64_t of = 0; of < e.confusion->classes; ++of) {
    const std::int64_t count = e.confusion->scores(of).count;
    most = std::max(most, count);
    all += count;
  }
  return 100 * static_cast<double>(most) / static_cast<double>(std::max<std::int64_t>(all, 1));
}

/// Whether the effect of one huge gradient on the weights is limited: by clipping, or by an
/// optimizer that divides by the gradient's size. Such a run may recover, and gets the time to do
/// so.
bool limits_updates(const Config& c) { return c.clip_norm > 0 || c.optimizer != Algorithm::sgd; }

/// Returns the description after checking that it fits the source and the memory.
spec::ModelSpec checked(spec::ModelSpec spec, const Config& config, const data::Source& source) {
  check_fits("train", spec, source);
  check_memory(spec, config, source);
  if (config.tbptt > 0 && !source.lengths(data::Split::train).empty())
    throw ValueError("tbptt", fmt::format("the sequences of {} have different lengths, expected "
                                          "equal ones; leave it out",
                                          source.name()));
  if (config.steps == 0 && config.epochs == 0)
    throw ValueError("steps", "is 0, expected at least 1, or the settings that settled() returns");
  if (source.size(data::Split::validation) == 0 &&
      (config.patience > 0 || config.refit || config.leave_test))
    throw ValueError(config.refit        ? "refit"
                     : config.leave_test ? "leave-test"
                                         : "patience",
                     fmt::format("{} has no validation part; give one, as in --validate 0.15, or "
                                 "leave it out",
                                 source.name()));
  return spec;
}

/// The number of steps after the last good one before the next one is sought.
constexpr std::int64_t kGoodEvery = 10;

}  // namespace

Trainer::Trainer(const Config& config, std::shared_ptr<const data::Source> source,
                 const InitialWeights* initial)
    : Trainer(config, source, describe(config, *source), initial) {}

Trainer::Trainer(const Config& config, std::shared_ptr<const data::Source> source,
                 spec::ModelSpec spec, const InitialWeights* initial)
    : config_(config),
      source_(std::move(source)),
      spec_(checked(std::move(spec), config, *source_)),
      objective_(source_->target(), spec_.output, config.loss, config.label_smoothing),
      sampler_(source_->size(data::Split::train), source_->lengths(data::Split::train),
               {.batch_size = config.batch_size,
                .shuffle = true,
                .draw_seed = source_->augments() ? std::optional(config.seed) : std::nullopt}),
      batch_(config_),
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
      trained_(trained_parameters(parameters_.parameters(), config.freeze)),
      gradient_(parameters_, model_.masks()),
      optimizer_(make_optimizer(config, trained_)),
      stretch_(stretch_of(1)),
      learning_rate_(config, stretch_.schedule) {
  set_num_threads(config.threads);
  set_initial_values(model_, config, generator_);
  if (initial) not_initial_ = begin_with(*initial, spec_, parameters_.parameters());
  optimizer_state_ = optimizer_->state();
  save(good_);
  if (source_->size(data::Split::validation) > 0) stopping_.emplace(config.patience);
  if (!config.refit) return;
  all_ = source_->with_validation();
  check_memory(spec_, config_, *all_);
  save(initial_);
}

std::int64_t Trainer::steps_per_epoch() const {
  return source_->size(data::Split::train) == data::Source::endless ? 0 : sampler_.batches();
}

std::int64_t Trainer::chosen_steps() const {
  return config_.epochs > 0 ? config_.epochs * steps_per_epoch() : config_.steps;
}

std::int64_t Trainer::steps() const {
  return refit_ ? refit_->first + refit_->steps : chosen_steps();
}

/// The stretch that holds `step`. Config::restart_at has the last steps of all but the last one.
Trainer::Stretch Trainer::stretch_of(std::int64_t step) const {
  if (refit_) return {refit_->first, steps(), chosen_steps()};
  std::int64_t first = 0;
  for (const std::int64_t last : config_.restart_at) {
    if (step <= last) return {first, last, last - first};
    first = last;
  }
  return {first, steps(), steps() - first};
}

void Trainer::begin(const Stretch& stretch) {
  stretch_ = stretch;
  learning_rate_ = LearningRate(config_, stretch_.schedule);
}

StepResult Trainer::make_step(std::int64_t step) {
  batch_.read(refit_ ? *all_ : *source_, sampler_.next(step, generator_));
  states_.resize(std::max(states_.size(), batch_.parts().size()));
  for (Network::States& states : states_) std::ranges::fill(states, nn::State{});
  if (config_.tbptt > 0) return make_truncated_step(step);
  return update(step, batch_.inputs(), batch_.targets());
}

/// The outputs for one part of `inputs`, whose sequences continue from the part's states.
Tensor Trainer::outputs_of(std::size_t part, const Tensor& inputs, std::vector<Tensor>& penalties) {
  return model_(nn::rows_of(inputs, batch_.parts()[part]), states_[part], penalties,
                batch_.lengths(part));
}

// The last chunk ends with the sequence and is a full chunk, because the targets are there. The
// first chunk may be shorter.
StepResult Trainer::make_truncated_step(std::int64_t step) {
  const std::int64_t steps = batch_.inputs().size(1);
  const bool every_step = objective_.target().every_step();
  StepResult all = result_of(step, 0, 0);
  double targets = 0;
  for (std::int64_t first = 0; first < steps;) {
    const std::int64_t count = (steps - first - 1) % config_.tbptt + 1;
    const Tensor inputs = steps_of(batch_.inputs(), first, count);
    const Tensor wanted = every_step ? steps_of(batch_.targets(), first, count) : batch_.targets();
    first += count;
    const double here = every_step ? objective_.terms(wanted) : first == steps ? 1 : 0;
    if (here == 0) {
      const NoGrad no_grad;
      gradient_.walk(batch_.parts(), [&](std::size_t k, std::vector<Tensor>& penalties) {
        outputs_of(k, inputs, penalties);
      });
      continue;
    }
    const StepResult result = update(step, inputs, wanted);
    all.loss += result.loss * here;
    all.grad_norm = std::max(all.grad_norm, result.grad_norm);
    targets += here;
  }
  all.loss /= targets;
  return last_ = all;
}

StepResult Trainer::result_of(std::int64_t step, double loss, double grad_norm) const {
  if (step == 0) return {};
  const std::int64_t epoch_steps = steps_per_epoch();
  const std::int64_t here = std::max<std::int64_t>(step - stretch_.first, 1);
  return {step,
          loss,
          grad_norm,
          config_.lr * learning_rate_.factor(here),
          epoch_steps > 0 ? ((refit_ ? here : step) - 1) / epoch_steps + 1 : 0,
          config_.dtype};
}

/// One update of the weights, by the loss of the batch's `inputs`.
StepResult Trainer::update(std::int64_t step, const Tensor& inputs, const Tensor& targets) {
  const double count = objective_.terms(targets);
  const double loss =
      gradient_.minimise(batch_.parts(), [&](std::size_t k, std::vector<Tensor>& terms) {
        terms.emplace_back();
        const Tensor outputs = outputs_of(k, inputs, terms);
        terms.front() = objective_.loss(outputs, nn::rows_of(targets, batch_.parts()[k]), count);
      });
  const double norm = config_.clip_norm > 0 ? optim::clip_grad_norm(trained_, config_.clip_norm)
                                            : optim::grad_norm(trained_);
  const StepResult result = result_of(step, loss, norm);
  const bool in_range = recent_.holds_loss(result.loss) && recent_.holds_norm(result.grad_norm);
  if (!std::isfinite(result.loss) || !std::isfinite(result.grad_norm) ||
      (!in_range && !limits_updates(config_)))
    diverge(result, "");
  optimizer_->set_lr_factor(learning_rate_.factor(step - stretch_.first));
  optimizer_->step();
  if (!all_finite(parameters_.values()))
    diverge(result, ", and weights that are not finite after the update");
  last_ = result;
  return result;
}

void Trainer::diverge(const StepResult& failed, const std::string& what) const {
  throw Diverged(failed, divergence_text(failed, what, last_, config_));
}

data::Split Trainer::watched_part() const {
  if (refit_) return data::Split::train;
  if (stopping_) return data::Split::validation;
  return source_->tests_while_training() ? data::Split::test : data::Split::train;
}

void Trainer::evaluate(const data::Source& source, data::Split part, Generator& generator) {
  const auto start = Clock::now();
  // With PyTorch's generator, a pass through the test set draws a number, as PyTorch's DataLoader
  // does. With the native one it must not, or the training order would depend on the number of
  // evaluations.
  if (config_.rng == Rng::torch && steps_per_epoch() > 0) data::unshuffled_pass(generator);
  const auto views = nn::views_of(parameters_.parameters());
  evaluation_ = config_.dtype == DType::f32
                    ? train::evaluate<float>(infer::Model<float>(spec_, views), source, part,
                                             nullptr, config_.loss)
                    : train::evaluate<double>(infer::Model<double>(spec_, views), source, part,
                                              nullptr, config_.loss);
  times_.testing += seconds_since(start);
}

void Trainer::evaluate(const StepResult& result, std::span<Listener* const> listeners) {
  evaluate(refit_ ? *all_ : *source_, watched_part(), generator_);
  const auto start = Clock::now();
  const Parameters& now = parameters_.parameters();
  evaluation_.inside = look(now, {parameters_.in(before_), now, 1});
  times_.testing += seconds_since(start);
  const bool validates = evaluation_.part == data::Split::validation;
  if (validates) stopping_->add(result, evaluation_.loss, parameters_.values());
  // No step follows whose loss would show a bad last update.
  if (!validates && result.step == stretch_.last && !recent_.holds_loss(evaluation_.loss))
    diverge(result, fmt::format(", and a loss of {} on the {} set after it",
                                number_text(evaluation_.loss), name_of(evaluation_.part)));
  for (Listener* listener : listeners) listener->evaluation(result, evaluation_);
}

/// Tests the weights that are kept, if they have not just been tested. Only this reads the test
/// part of a source with a validation part, or that shows no tests while training.
void Trainer::finish(std::span<Listener* const> listeners) {
  kept_ = last_;
  if (stopping_ && stopping_->has_best() && !refit_) {
    copy_into(parameters_.values(), stopping_->weights());
    kept_ = stopping_->best();
  }
  if (evaluation_.part == data::Split::test) return;
  const bool tests = source_->size(data::Split::test) > 0 && !config_.leave_test;
  if (!tests && !stopping_) return;
  const data::Split part = tests ? data::Split::test : data::Split::validation;
  evaluate(*source_, part, generator_);
  const auto start = Clock::now();
  evaluation_.baselines = baselines(*source_, part);
  times_.testing += seconds_since(start);
  for (Listener* listener : listeners) listener->evaluation(kept_, evaluation_);
}

/// Begins the second training. False if there is none.
bool Trainer::begin_refit(std::span<Listener* const> listeners) {
  if (refit_ || !config_.refit || !stopping_->has_best()) return false;
  begin_refit({last_.step, stopping_->best().step});
  for (Listener* listener : listeners) listener->refit(stopping_->best(), steps());
  return true;
}

/// Goes back to the initial state, with all samples to train on.
void Trainer::begin_refit(const Refit& refit) {
  refit_ = refit;
  begin(stretch_of(refit.first + 1));
  sampler_.set_samples(all_->size(data::Split::train), all_->lengths(data::Split::train));
  const StepResult last = last_;
  load(initial_);
  last_ = last;  // steps are counted on
  save(good_);
}

Inside Trainer::look(const Parameters& weights, const Updates& updates) const {
  Inside inside =
      look_inside(spec_, weights, updates, batch_.examples(), objective_, config_.tbptt);
  inside.chance = chance_of(evaluation_);
  return inside;
}

bool Trainer::run(std::span<Listener* const> listeners) {
  try {
    return make_steps(listeners);
  } catch (Diverged& diverged) {
    const Tensor failed = parameters_.values().clone();
    const std::int64_t since_good = last_.step - good_.last.step;
    load(good_);
    Generator draws = generator_;  // a copy: the run's generator stays as after the good step
    evaluate(refit_ ? *all_ : *source_, watched_part(), draws);
    const Parameters &good = parameters_.parameters(), bad = parameters_.in(failed);
    // The weights that failed show more than the good ones, unless they show nothing.
    evaluation_.inside = look(all_finite(failed) ? bad : good,
                              since_good > 0 ? Updates{good, bad, since_good} : Updates{});
    diverged.kept = kept_ = last_;
    diverged.evaluation = evaluation_;
    throw;
  }
}

bool Trainer::make_steps(std::span<Listener* const> listeners) {
  while (last_.step < steps()) {
    const auto start = Clock::now();  // making the batch counts as training time
    const std::int64_t step = last_.step + 1;
    // The next batch's loss tells whether the weights are good, so they are saved before it.
    const bool tried = last_.step >= good_.last.step + kGoodEvery;
    if (tried) save(candidate_);
    if (step > stretch_.last) {
      begin(stretch_of(step));
      if (stopping_) stopping_->count_anew();
    }
    const bool last = step == stretch_.last;
    const bool due = config_.eval_every > 0 && (step - stretch_.first) % config_.eval_every == 0;
    if (last || due) copy_to(before_, parameters_.values());
    const StepResult result = make_step(step);
    if (tried && recent_.is_good(result.loss)) std::swap(good_, candidate_);
    recent_.add(result);
    learning_rate_.add(result.loss, step - stretch_.first);
    if (recent_.outside() == RecentSteps::patience)
      diverge(result, fmt::format(" (far above all earlier losses for {} steps in a row)",
                                  RecentSteps::patience));
    times_.training += seconds_since(start);
    for (Listener* listener : listeners) listener->step(result);
    if (std::ranges::find(config_.save_at, step) != config_.save_at.end())
      for (Listener* listener : listeners) listener->save(step);
    if (last || due) evaluate(result, listeners);
    // Patience ends a run within a stretch; at its last step the next one begins.
    const bool enough = !refit_ && !last && stopping_ && stopping_->stops();
    if (step == steps() || enough) {
      if (!begin_refit(listeners)) break;
    } else if (due) {
      learning_rate_.evaluated();
    }
    bool stop = false;
    for (Listener* listener : listeners) stop |= listener->stop();
    kept_ = last_;
    if (stop) return false;
  }
  finish(listeners);
  return true;
}

}  // namespace unroll::train
