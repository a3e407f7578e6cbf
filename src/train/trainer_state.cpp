// The trainer's state between two steps: copies in memory, and checkpoints.
#include <memory>
#include <utility>

#include "tensor/tensor_impl.h"
#include "train/trainer.h"

namespace unroll::train {

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
  c.refit = refit_;
  if (!stopping_) return c;
  c.stopping = stopping_->state();
  if (stopping_->has_best() && !refit_) c.best = parameters_.in(stopping_->weights());
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
  begin(stretch_of(from.last.step));
  learning_rate_.load(from.learning_rate);
  last_ = kept_ = result_of(from.last.step, from.last.loss, from.last.grad_norm);
  recent_ = from.recent;
}

void Trainer::resume(const Checkpoint& c) {
  if (!spec::same_description(c.model, spec::to_json(spec_)))
    throw FormatError("resume", "the checkpoint belongs to another model");
  if (c.stopping.has_value() != stopping_.has_value() || (c.refit && !config_.refit))
    throw FormatError("resume", "the checkpoint belongs to a run with another validation part");
  if (!c.best.empty()) model_.load(c.best);
  if (c.stopping) {
    EarlyStopping::State state = *c.stopping;
    state.best.dtype = config_.dtype;
    stopping_->load(state, parameters_.values());
  }
  if (c.refit) begin_refit(*c.refit);
  load(c.good ? *c.good : c);
  save(good_);
  if (c.good) load(c);
}

}  // namespace unroll::train
