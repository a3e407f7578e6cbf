#include "infer/sequences.h"

#include <algorithm>

#include "core/overloaded.h"
#include "core/parallel.h"
#include "infer/readout.h"
#include "infer/row_stages.h"

namespace unroll::infer {
namespace {

constexpr std::size_t kRows = 1024;  // enough work for all threads
// Limits on memory, in elements: a block of steps, small enough for the cache; and all steps, if a
// layer needs them at once.
constexpr std::size_t kBlock = std::size_t{1} << 20;
constexpr std::size_t kWhole = std::size_t{1} << 25;

std::ptrdiff_t as_signed(std::size_t value) { return static_cast<std::ptrdiff_t>(value); }

/// Whether only the last states of these layers are needed.
template <class T>
bool end_only(const Recurrent<T>& stage) {
  return stage.readout == spec::Readout::last;
}

/// The call for `rows` sequences of `steps` steps, with its shape alone.
template <class T>
kernels::StackCall<T> call_of(const Recurrent<T>& stage, std::size_t rows, std::size_t steps) {
  kernels::StackCall<T> call;
  call.shape = stage.shape;
  call.shape.first.batch = rows;
  call.shape.first.steps = steps;
  call.zone_h_rate = stage.zoneout_h;
  call.zone_c_rate = stage.zoneout_c;
  return call;
}

/// The memory that the largest stage needs.
struct Need {
  bool whole = false;      // all steps in one block
  std::size_t steps = 0;   // the most that a stage reads or gives
  std::size_t padded = 0;  // elements that a convolution copies of one sequence, with zeros around
  std::size_t width = 0;   // largest padded row between stages
  std::size_t layers = 0;  // elements between stacked layers for one row and step
  std::size_t kept = 0;    // elements kept for residual connections
};

template <class T>
Need need_of(const Compiled<T>& model, std::size_t steps) {
  Need need;
  need.steps = steps;
  const std::size_t stages = model.sequence_stages();
  for (std::size_t i = 0; i < stages; ++i) {
    need.width = std::max(need.width, kernels::padded_row(model.size_of(i)));
    if (model.is_kept(i)) need.kept += model.size_of(i);
    if (const auto* c = std::get_if<StepConvolution<T>>(&model.stages[i])) {
      need.whole = true;
      need.steps = std::max(need.steps, model.steps_at(i + 1, steps));
      kernels::Convolution1dShape shape = c->shape;
      shape.steps = model.steps_at(i, steps);
      need.padded = std::max(need.padded, shape.padded_size());
    }
    const auto* r = std::get_if<Recurrent<T>>(&model.stages[i]);
    if (!r) {
      need.width = std::max(need.width, kernels::padded_row(model.size_of(i + 1)));
      continue;
    }
    const std::size_t width = kernels::padded_row(r->width());
    need.whole |= r->shape.directions == 2;
    need.width = std::max(need.width, width);
    need.layers = std::max(need.layers, std::min<std::size_t>(r->shape.layers - 1, 2) * width);
  }
  return need;
}

std::size_t per_step(const Need& need) { return 2 * need.width + need.layers + need.kept; }
std::size_t per_row(const Need& need) { return per_step(need) * need.steps + need.padded; }

}  // namespace

template <class T>
std::size_t SequenceRun<T>::rows_at_once(const Compiled<T>& model, std::size_t rows,
                                         std::size_t steps) {
  const Need need = need_of(model, steps);
  const std::size_t most = need.whole ? std::max<std::size_t>(1, kWhole / per_row(need)) : kRows;
  return std::min({rows, kRows, most});
}

template <class T>
[[gnu::cold]] SequenceRun<T>::SequenceRun(const Compiled<T>& model, std::size_t rows,
                                          std::size_t steps, bool flush)
    : model_(model),
      rows_(rows),
      steps_(steps),
      stages_(model.sequence_stages()),
      flush_(flush),
      states_(stages_) {
  const Need need = need_of(model, steps);
  block_ = need.whole ? steps : std::clamp<std::size_t>(kBlock / per_step(need) / rows, 1, steps);
  // A single layer whose last state is needed keeps only two steps, for any T.
  const auto* only = std::get_if<Recurrent<T>>(&model.stages[0]);
  if (stages_ == 1 && only && only->shape.count() == 1 && end_only(*only)) block_ = steps;
  const std::size_t slots = need.whole ? need.steps : block_;
  std::size_t stack = 0;
  for (std::size_t i = 0; i < stages_; ++i) {
    const auto* r = std::get_if<Recurrent<T>>(&model.stages[i]);
    if (!r) continue;
    const std::size_t layer_rows = r->shape.count() * rows;
    states_[i].h.resize(layer_rows * r->state);
    states_[i].c.resize(r->memory ? layer_rows * r->hidden : 0);
    stack =
        std::max(stack, kernels::stack_memory(call_of(*r, rows, slots), kernels::Keep::nothing));
    if (gathers(r->readout)) gathered_.resize(rows * r->width());
    if (r->readout != spec::Readout::every_step) result_.resize(rows * r->features());
  }
  stack_.resize(stack);
  between_ = slots * rows * need.width;
  kept_.resize(stages_);
  for (std::size_t i = 0; i < stages_; ++i)
    if (model.is_kept(i)) kept_[i].resize(slots * rows * model.size_of(i));
  padded_.resize(rows * need.padded);
  lengths_.resize(rows);
}

template <class T>
std::size_t SequenceRun<T>::begin_block(const Sequences<T>& sequences, std::size_t first,
                                        std::size_t count) {
  first_ = first;
  count_ = count;
  active_ = sequences.rows;
  ragged_ = sequences.lengths != nullptr;
  if (ragged_) {
    active_ = 0;
    for (; active_ < sequences.rows && sequences.lengths[active_] > first; ++active_)
      lengths_[active_] = std::min(sequences.lengths[active_] - first, count);
  }
  x_ = sequences.input;
  x_.data = x_.at(first, 0);
  return active_;
}

template <class T>
std::size_t SequenceRun<T>::rows_with(std::size_t t) const {
  if (!ragged_) return active_;
  const auto* const end = lengths_.data() + active_;
  return static_cast<std::size_t>(
      std::partition_point(lengths_.data(), end, [t](std::size_t length) { return length > t; }) -
      lengths_.data());
}

/// The buffer that x_ is not in.
template <class T>
kernels::Sequence<T> SequenceRun<T>::other(std::size_t width) {
  // Made at first use, because a single layer needs only one of the two.
  if (other_.empty()) other_.resize(between_);
  const std::size_t row = kernels::padded_row(width);
  return {other_.data(), as_signed(rows_ * row), as_signed(row)};
}

template <class T>
void SequenceRun<T>::use(kernels::Sequence<T> made) {
  one_.swap(other_);
  x_ = {made.data, made.step, made.row};
}

template <class T>
void SequenceRun<T>::stage(std::size_t i) {
  if (!kept_[i].empty()) keep(i);
  std::visit(Overloaded{[&](const Recurrent<T>& stage) { recurrent(stage, states_[i]); },
                        [&](const StepConvolution<T>& stage) { convolve(stage); },
                        [&](const RowStage<T>& stage) {
                          const kernels::Sequence<T> y = other(model_.size_of(i + 1));
                          run_rows(stage, Block<T>{count_, active_, x_, y, kept_, rows_, true});
                          use(y);
                        },
                        [](const ImageStage<T>&) {}},  // no image comes before a sequence
             model_.stages[i]);
}

template <class T>
void SequenceRun<T>::keep(std::size_t i) {
  const std::size_t width = model_.size_of(i);
  for (std::size_t t = 0; t < count_; ++t)
    for (std::size_t n = 0; n < active_; ++n)
      std::copy_n(x_.at(t, n), width, kept_[i].data() + (t * rows_ + n) * width);
}

template <class T>
void SequenceRun<T>::recurrent(const Recurrent<T>& r, State& state) {
  const bool learnt = !r.h_0.empty(), zeros = first_ == 0 && !learnt;
  if (first_ == 0 && learnt) {
    const auto repeat = [&](const std::vector<T>& initial, std::size_t size, std::vector<T>& to) {
      for (std::size_t n = 0; n < to.size() / std::max<std::size_t>(size, 1); ++n)
        std::copy_n(initial.data() + n / rows_ * size, size, to.data() + n * size);
    };
    repeat(r.h_0, r.state, state.h);
    repeat(r.c_0, r.hidden, state.c);
  }
  kernels::StackCall<T> call = call_of(r, active_, count_);
  call.shape.first.flush_states = flush_;
  call.shape.first.lengths = ragged_ ? lengths_.data() : nullptr;
  call.packed = r.packed.get();
  call.input = x_;
  call.h_n = state.h.data();
  call.c_n = r.memory ? state.c.data() : nullptr;
  call.state_rows = rows_;
  if (!zeros) {
    call.h_0 = call.h_n;
    call.c_0 = call.c_n;
  }
  call.memory = stack_.data();
  if (!end_only(r)) call.output = other(r.width());
  kernels::forward(call, kernels::Keep::nothing);
  if (call.output.data) use(call.output);
  if (gathers(r.readout)) gather_all(r.readout, r.width());
}

template <class T>
void SequenceRun<T>::convolve(const StepConvolution<T>& c) {
  kernels::Convolution1dShape shape = c.shape;
  shape.batch = active_;
  shape.steps = count_;
  shape.lengths = ragged_ ? lengths_.data() : nullptr;
  const kernels::Sequence<T> y = other(shape.outputs);
  kernels::pad_sequences(shape, x_, padded_.data());
  kernels::convolve_steps(shape, padded_.data(), c.packed.data(), c.bias_data(), y);
  use(y);
  if (ragged_)
    for (std::size_t n = 0; n < active_; ++n) lengths_[n] = shape.out_steps_of(n);
  count_ = shape.out_steps();
}

template <class T>
void SequenceRun<T>::gather_all(spec::Readout readout, std::size_t width) {
  constexpr std::size_t kRowsAtOnce = 8;
  parallel_pieces(active_, kRowsAtOnce, [&](std::size_t begin, std::size_t end) {
    for (std::size_t n = begin; n < end; ++n) {
      const std::size_t length = ragged_ ? lengths_[n] : count_;
      for (std::size_t t = 0; t < length; ++t)
        gather(readout, x_.at(t, n), width, first_ + t == 0, gathered_.data() + n * width);
    }
  });
}

template <class T>
void SequenceRun<T>::finish_readout(const Sequences<T>& sequences) {
  const auto& r = std::get<Recurrent<T>>(model_.stages[stages_ - 1]);
  const std::size_t width = r.width(), directions = r.shape.directions;
  const T* const top =
      states_[stages_ - 1].h.data() + (r.shape.count() - directions) * rows_ * r.state;
  std::vector<T> last(width);
  for (std::size_t n = 0; n < sequences.rows; ++n) {
    for (std::size_t d = 0; d < directions; ++d)
      std::copy_n(top + (d * rows_ + n) * r.state, r.state, last.data() + d * r.state);
    finish(r.readout, gathered_.data() + (gathers(r.readout) ? n * width : 0), last.data(), width,
           model_.steps_at(stages_, sequences.lengths ? sequences.lengths[n] : steps_),
           result_.data() + n * r.features());
  }
}

template class SequenceRun<float>;
template class SequenceRun<double>;

}  // namespace unroll::infer
