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
#include "train/chunks.h"
#include "train/describe.h"
#include "train/divergence.h"
#include "train/optimizers.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/core/threads.h"
#include "unroll/nn/init.h"
#include "unroll/optim/clip.h"

namespace unroll::train {
namespace {

/// Draws every matrix again. Scales the values by the inputs and outputs of one block of rows: one
/// gate of a recurrent layer, or all channels of a convolution.
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

void set_initial_values(Network& model, const Config& config, Generator& generator) {
  if (config.init == InitialValues::torch) return;
  if (config.init == InitialValues::xavier || config.init == InitialValues::kaiming)
    return draw_matrices(model.parameters(), config.init, generator);
  for (const nn::Recurrent* recurrent : model.recurrent())
    for (const auto& layer : recurrent->layers()) {
      if (config.init == InitialValues::orthogonal) {
        const Tensor& weight_hh = layer[WeightRole::weight_hh];
        const Tensor& weight_hr = layer[WeightRole::weight_hr];  // (P, H) of a projection
        const std::int64_t hidden = (weight_hr.defined() ? weight_hr : weight_hh).size(1);
        const auto gates = static_cast<int>(weight_hh.size(0) / hidden);
        nn::init::orthogonal(weight_hh, generator, 1, gates);
        continue;
      }
      nn::init::identity(layer[WeightRole::weight_hh]);
      for (const WeightRole role : {WeightRole::bias_ih, WeightRole::bias_hh})
        if (layer[role].defined()) nn::init::constant(layer[role], 0);
    }
}

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

/// Makes the copy at the first call.
void copy_to(Tensor& copy, const Tensor& from) {
  if (copy.defined())
    copy_into(copy, from);
  else
    copy = from.clone();
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
  return spec;
}

/// The number of steps after the last good one before the next one is sought.
constexpr std::int64_t kGoodEvery = 10;

}  // namespace

Trainer::Trainer(const Config& config, std::shared_ptr<const data::Source> source)
    : Trainer(config, source, describe(config, *source)) {}

Trainer::Trainer(const Config& config, std::shared_ptr<const data::Source> source,
                 spec::ModelSpec spec)
    : config_(config),
      source_(std::move(source)),
      spec_(checked(std::move(spec), config, *source_)),
      objective_(source_->target(), spec_.output, config.loss),
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
      gradient_(parameters_, model_.masks()),
      optimizer_(make_optimizer(config, parameters_.parameters())),
      steps_(config.epochs > 0 ? config.epochs * steps_per_epoch() : config.steps),
      learning_rate_(config, steps_) {
  set_num_threads(config.threads);
  set_initial_values(model_, config, generator_);
  optimizer_state_ = optimizer_->state();
  save(good_);
}

std::int64_t Trainer::steps_per_epoch() const {
  return source_->size(data::Split::train) == data::Source::endless ? 0 : sampler_.batches();
}

StepResult Trainer::make_step(std::int64_t step) {
  batch_.read(*source_, sampler_.next(step, generator_));
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
  return {step,
          loss,
          grad_norm,
          config_.lr * learning_rate_.factor(step),
          epoch_steps > 0 ? (step - 1) / epoch_steps + 1 : 0,
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
  const Parameters& parameters = parameters_.parameters();
  const double norm = config_.clip_norm > 0 ? optim::clip_grad_norm(parameters, config_.clip_norm)
                                            : optim::grad_norm(parameters);
  const StepResult result = result_of(step, loss, norm);
  const bool in_range = recent_.holds_loss(result.loss) && recent_.holds_norm(result.grad_norm);
  if (!std::isfinite(result.loss) || !std::isfinite(result.grad_norm) ||
      (!in_range && !limits_updates(config_)))
    diverge(result, "");
  optimizer_->set_lr_factor(learning_rate_.factor(step));
  optimizer_->step();
  if (!all_finite(parameters_.values()))
    diverge(result, ", and weights that are not finite after the update");
  last_ = result;
  return result;
}

void Trainer::diverge(const StepResult& failed, const std::string& what) const {
  throw Diverged(failed, divergence_text(failed, what, last_, config_));
}

void Trainer::evaluate(Generator& generator) {
  const auto start = Clock::now();
  // With PyTorch's generator, a pass through the test set draws a number, as PyTorch's DataLoader
  // does. With the native one it must not, or the training order would depend on the number of
  // evaluations.
  if (config_.rng == Rng::torch && steps_per_epoch() > 0) data::unshuffled_pass(generator);
  const auto views = nn::views_of(parameters_.parameters());
  evaluation_ = config_.dtype == DType::f32
                    ? train::evaluate<float>(infer::Model<float>(spec_, views), *source_,
                                             data::Split::test, nullptr, config_.loss)
                    : train::evaluate<double>(infer::Model<double>(spec_, views), *source_,
                                              data::Split::test, nullptr, config_.loss);
  times_.testing += seconds_since(start);
}

void Trainer::evaluate(const StepResult& result, std::span<Listener* const> listeners) {
  evaluate(generator_);
  const auto start = Clock::now();
  const Parameters& now = parameters_.parameters();
  evaluation_.inside = look(now, {parameters_.in(before_), now, 1});
  times_.testing += seconds_since(start);
  // No step follows whose loss would show a bad last update.
  if (result.step == steps_ && !recent_.holds_loss(evaluation_.loss))
    diverge(result, fmt::format(", and a loss of {} on the test set after it",
                                number_text(evaluation_.loss)));
  for (Listener* listener : listeners) listener->evaluation(result, evaluation_);
}

Inside Trainer::look(const Parameters& weights, const Updates& updates) const {
  Inside inside =
      look_inside(spec_, weights, updates, batch_.examples(), objective_, config_.tbptt);
  inside.chance = chance_of(evaluation_);
  return inside;
}

void Trainer::save(Snapshot& to) {
  to.last = last_;
  to.recent = recent_;
  copy_to(to.weights, parameters_.values());
  to.optimizer.resize(optimizer_state_.size());
  for (std::size_t i = 0; i < to.optimizer.size(); ++i)
    copy_to(to.optimizer[i], optimizer_state_[i].value);
  to.generator = generator_;
  to.masks.clear();
  for (const nn::MaskSource* masks : model_.masks()) to.masks.push_back(masks->step());
  sampler_.position(to.position);
  to.learning_rate = learning_rate_.state();
}

void Trainer::load(const Snapshot& from) {
  copy_into(parameters_.values(), from.weights);
  for (std::size_t i = 0; i < from.optimizer.size(); ++i)
    copy_into(optimizer_state_[i].value, from.optimizer[i]);
  generator_ = from.generator;
  const auto& masks = model_.masks();
  for (std::size_t i = 0; i < masks.size(); ++i) masks[i]->set_step(from.masks[i]);
  sampler_.resume(from.position, generator_.rng());
  learning_rate_.load(from.learning_rate);
  last_ = from.last;
  recent_ = from.recent;
}

Checkpoint Trainer::checkpoint_of(const Snapshot& from) const {
  Checkpoint c;
  c.last = from.last;
  c.recent = from.recent;
  c.weights = parameters_.in(from.weights);
  for (std::size_t i = 0; i < from.optimizer.size(); ++i)
    c.optimizer.push_back({optimizer_state_[i].name, from.optimizer[i]});
  c.generator = from.generator.state();
  c.masks = from.masks;
  c.position = data::to_json(from.position);
  c.learning_rate = from.learning_rate;
  c.model = spec::to_json(spec_);
  return c;
}

Checkpoint Trainer::checkpoint() {
  save(candidate_);
  Checkpoint c = checkpoint_of(candidate_);
  if (good_.last.step != last_.step) c.good = std::make_shared<Checkpoint>(checkpoint_of(good_));
  return c;
}

void Trainer::load(const Checkpoint& from) {
  const auto& masks = model_.masks();
  if (from.masks.size() != masks.size() || from.last.step < 0)
    throw FormatError("resume", "the checkpoint belongs to another model");
  model_.load(from.weights);
  optimizer_->load_state(from.optimizer);
  generator_.load_state(from.generator);
  for (std::size_t i = 0; i < masks.size(); ++i) masks[i]->set_step(from.masks[i]);
  sampler_.resume(data::position_from(from.position), generator_.rng());
  learning_rate_.load(from.learning_rate);
  last_ = result_of(from.last.step, from.last.loss, from.last.grad_norm);
  recent_ = from.recent;
}

void Trainer::resume(const Checkpoint& c) {
  if (!spec::same_description(c.model, spec::to_json(spec_)))
    throw FormatError("resume", "the checkpoint belongs to another model");
  load(c.good ? *c.good : c);
  save(good_);
  if (c.good) load(c);
}

bool Trainer::run(std::span<Listener* const> listeners) {
  try {
    return make_steps(listeners);
  } catch (Diverged& diverged) {
    const Tensor failed = parameters_.values().clone();
    const std::int64_t since_good = last_.step - good_.last.step;
    load(good_);
    Generator draws = generator_;  // a copy: the run's generator stays as after the good step
    evaluate(draws);
    const Parameters &good = parameters_.parameters(), bad = parameters_.in(failed);
    // The weights that failed show more than the good ones, unless they show nothing.
    evaluation_.inside = look(all_finite(failed) ? bad : good,
                              since_good > 0 ? Updates{good, bad, since_good} : Updates{});
    diverged.kept = last_;
    diverged.evaluation = evaluation_;
    throw;
  }
}

bool Trainer::make_steps(std::span<Listener* const> listeners) {
  for (std::int64_t step = last_.step + 1; step <= steps_; ++step) {
    const auto start = Clock::now();  // making the batch counts as training time
    // The next batch's loss tells whether the weights are good, so they are saved before it.
    const bool tried = last_.step >= good_.last.step + kGoodEvery;
    if (tried) save(candidate_);
    const bool last = step == steps_;
    const bool due = config_.eval_every > 0 && step % config_.eval_every == 0;
    if (last || due) copy_to(before_, parameters_.values());
    const StepResult result = make_step(step);
    if (tried && recent_.is_good(result.loss)) std::swap(good_, candidate_);
    recent_.add(result);
    learning_rate_.add(result);
    if (recent_.outside() == RecentSteps::patience)
      diverge(result, fmt::format(" (far above all earlier losses for {} steps in a row)",
                                  RecentSteps::patience));
    times_.training += seconds_since(start);
    for (Listener* listener : listeners) listener->step(result);
    if (std::ranges::find(config_.save_at, step) != config_.save_at.end())
      for (Listener* listener : listeners) listener->save(step);
    if (last || due) evaluate(result, listeners);
    if (last) break;
    if (due) learning_rate_.evaluated();
    bool stop = false;
    for (Listener* listener : listeners) stop |= listener->stop();
    if (stop) return false;
  }
  return true;
}

}  // namespace unroll::train
