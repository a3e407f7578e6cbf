#include "unroll/infer/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "core/float_environment.h"
#include "core/overloaded.h"
#include "infer/compiled.h"
#include "infer/readout.h"
#include "infer/row_stages.h"
#include "infer/stream_counts.h"
#include "infer/tokens.h"
#include "kernels/recurrent_layout.h"
#include "unroll/core/error.h"

namespace unroll::infer {
namespace {

std::ptrdiff_t as_signed(std::size_t value) { return static_cast<std::ptrdiff_t>(value); }

void check(std::size_t given, std::size_t count, std::size_t each, std::size_t steps,
           const char* what) {
  char text[200];
  const std::string_view wrong = wrong_count(given, count, each, steps, what, text);
  if (!wrong.empty()) throw ShapeError("infer", wrong);
}

/// How a recurrent layer treats a sequence in a step.
enum Group : std::uint8_t { from_zeros, from_state, idle };

/// Calls f(first, count, group) for every run of adjacent sequences of one group.
template <class F>
void for_groups(const std::vector<std::uint8_t>& groups, F&& f) noexcept {
  for (std::size_t first = 0; first < groups.size();) {
    std::size_t end = first + 1;
    while (end < groups.size() && groups[end] == groups[first]) ++end;
    f(first, end - first, static_cast<Group>(groups[first]));
    first = end;
  }
}

/// Sets a state to its initial value; null means zeros.
template <class T>
void begin_with(const T* initial, T* state, std::size_t size) noexcept {
  if (initial)
    std::copy_n(initial, size, state);
  else
    std::fill_n(state, size, T{0});
}

}  // namespace

std::string_view wrong_count(std::size_t given, std::size_t count, std::size_t each,
                             std::size_t steps, const char* what, std::span<char> text) noexcept {
  std::size_t expected = 0;
  const bool overflows = __builtin_mul_overflow(count * each, steps, &expected);
  if (!overflows && given == expected) return {};
  // Not fmt, which may allocate memory and would add to the size of the library.
  std::snprintf(text.data(), text.size(),
                "%zu %s given, expected %zu for %zu sequence%s and %zu step%s", given, what,
                expected, count, count == 1 ? "" : "s", steps, steps == 1 ? "" : "s");
  return text.data();
}

// Cold, so compiled for size: it runs once for each stream.
template <class T>
[[gnu::cold]] Stream<T>::Stream(std::shared_ptr<const Compiled<T>> compiled, std::size_t count)
    : compiled_(std::move(compiled)), count_(count), steps_(count), active_(count), groups_(count) {
  const Compiled<T>& m = *compiled_;
  std::size_t largest = 0, scratch = 0;
  for (std::size_t i = 0; i < m.stages.size(); ++i) {
    largest = std::max(largest, m.size_of(i + 1));
    const auto* r = std::get_if<Recurrent<T>>(&m.stages[i]);
    if (!r) continue;
    if (gathers(r->readout)) read_.resize(count * r->width());
    for (std::size_t l = 0; l < r->shape.layers; ++l) {
      Layer layer;
      layer.h.resize(count * r->state);
      layer.next_h.resize(layer.h.size());
      if (r->memory) layer.c.resize(count * r->hidden);
      layer.next_c.resize(layer.c.size());
      kernels::RecurrentShape shape = r->shape.of(l, 0);
      shape.batch = count;
      layer.plan = std::make_shared<const kernels::StepPlan>(shape);
      scratch = std::max(scratch, layer.plan->saved.size);
      layer.started.resize(count);
      layers_.push_back(std::move(layer));
    }
  }
  kept_.resize(m.stages.size());
  for (std::size_t i = 0; i < kept_.size(); ++i)
    if (m.is_kept(i)) kept_[i].resize(count * m.size_of(i));
  windows_.resize(m.stages.size());
  for (std::size_t i = 0; i < windows_.size(); ++i)
    if (const auto* c = std::get_if<StepConvolution<T>>(&m.stages[i]))
      windows_[i].resize(count * 2 * c->span() * c->shape.channels);
  current_.resize(count * largest);
  next_.resize(count * largest);
  scratch_.resize(scratch);
  reset();
}

template <class T>
void Stream<T>::begin(std::size_t sequence) noexcept {
  std::size_t l = 0;
  steps_[sequence] = 0;
  for (std::vector<T>& window : windows_) {
    const std::size_t own = window.size() / count_;
    std::fill_n(window.data() + sequence * own, own, T{0});
  }
  // outputs() before the first step must not show the earlier sequence.
  const std::size_t read = read_.size() / count_;
  std::fill_n(read_.data() + sequence * read, read, T{0});
  if (compiled_->gives_sequences()) {
    const std::size_t outputs = compiled_->outputs();
    std::fill_n(current_.data() + sequence * outputs, outputs, T{0});
  }
  for (const auto& stage : compiled_->stages) {
    const auto* r = std::get_if<Recurrent<T>>(&stage);
    if (!r) continue;
    for (std::size_t k = 0; k < r->shape.layers; ++k) {
      Layer& layer = layers_[l++];
      layer.started[sequence] = 0;
      begin_with(r->h_0_of(k), layer.h.data() + sequence * r->state, r->state);
      if (r->memory) begin_with(r->c_0_of(k), layer.c.data() + sequence * r->hidden, r->hidden);
    }
  }
}

/// Runs one step of a stage. Returns the place of its result.
template <class T>
const T* Stream<T>::stage(std::size_t i, const T* in, bool flush) noexcept {
  const Compiled<T>& m = *compiled_;
  if (!kept_[i].empty()) std::copy_n(in, count_ * m.size_of(i), kept_[i].data());
  return std::visit(Overloaded{[&](const Recurrent<T>& r) { return recurrent(i, r, in, flush); },
                               [&](const StepConvolution<T>& c) { return convolve(i, c, in); },
                               [&](const RowStage<T>& row_stage) -> const T* {
                                 auto block = block_of_rows(count_, in, m.size_of(i), next_.data(),
                                                            m.size_of(i + 1));
                                 block.kept = kept_;
                                 run_rows(row_stage, block);
                                 current_.swap(next_);
                                 return current_.data();
                               },
                               [&](const ImageStage<T>&) { return in; }},  // no image in a stream
                    m.stages[i]);
}

template <class T>
const T* Stream<T>::recurrent(std::size_t i, const Recurrent<T>& r, const T* in,
                              bool flush) noexcept {
  for (std::size_t k = 0; k < r.shape.layers; ++k) {
    const std::size_t inputs = r.shape.input(k);
    Layer& layer = layers_[r.first + k];
    for (std::size_t n = 0; n < count_; ++n)
      groups_[n] = !active_[n]                          ? idle
                   : layer.started[n] || !r.h_0.empty() ? from_state
                                                        : from_zeros;
    for_groups(groups_, [&](std::size_t first, std::size_t count, Group group) {
      if (group == idle) {
        std::copy_n(layer.h.data() + first * r.state, count * r.state,
                    layer.next_h.data() + first * r.state);
        if (r.memory)
          std::copy_n(layer.c.data() + first * r.hidden, count * r.hidden,
                      layer.next_c.data() + first * r.hidden);
        return;
      }
      const bool zeros = group == from_zeros;
      kernels::RecurrentStep<T> call;
      call.shape = r.shape.of(k, 0);
      call.shape.batch = count;
      call.shape.flush_states = flush;
      call.packed = r.packed->at(k);
      call.input = in + first * inputs;
      call.input_row = as_signed(inputs);
      call.h = zeros ? nullptr : layer.h.data() + first * r.state;
      call.next_h = layer.next_h.data() + first * r.state;
      if (r.memory) {
        call.c = zeros ? nullptr : layer.c.data() + first * r.hidden;
        call.next_c = layer.next_c.data() + first * r.hidden;
      }
      call.scratch = scratch_.data();
      call.zone_h_rate = r.zoneout_h;
      call.zone_c_rate = r.zoneout_c;
      kernels::step(call, *layer.plan);
    });
    layer.h.swap(layer.next_h);
    layer.c.swap(layer.next_c);
    for (std::size_t n = 0; n < count_; ++n)
      if (active_[n]) layer.started[n] = 1;
    in = layer.h.data();
  }
  if (gathers(r.readout))
    for (std::size_t n = 0; n < count_; ++n)
      if (active_[n])
        gather(r.readout, in + n * r.width(), r.width(), compiled_->steps_at(i, steps_[n]) == 0,
               read_.data() + n * r.width());
  return in;
}

/// Takes a step into the window of each sequence. Those for which it is not the last step of a
/// window have no step in the stages after this one.
template <class T>
const T* Stream<T>::convolve(std::size_t i, const StepConvolution<T>& c, const T* in) noexcept {
  const std::size_t channels = c.shape.channels, span = c.span();
  for (std::size_t n = 0; n < count_; ++n) {
    if (!active_[n]) continue;
    const std::size_t place = compiled_->steps_at(i, steps_[n]) % span;
    T* const window = windows_[i].data() + n * 2 * span * channels;
    std::copy_n(in + n * channels, channels, window + place * channels);
    std::copy_n(in + n * channels, channels, window + (place + span) * channels);
    active_[n] = compiled_->steps_at(i + 1, steps_[n] + 1) > compiled_->steps_at(i + 1, steps_[n]);
    if (active_[n])
      kernels::convolve_window(c.shape, window + (place + 1) * channels, c.packed.data(),
                               c.bias_data(), next_.data() + n * c.shape.outputs);
  }
  current_.swap(next_);
  return current_.data();
}

template <class T>
void Stream<T>::advance(const T* in, bool flush) noexcept {
  const Compiled<T>& m = *compiled_;
  const std::size_t stages = m.sequence_stages();
  std::ranges::fill(active_, std::uint8_t{1});
  for (std::size_t i = 0; i < stages; ++i) in = stage(i, in, flush);
  if (m.gives_sequences() && in != current_.data())
    std::copy_n(in, count_ * m.outputs(), current_.data());
  for (std::uint64_t& steps : steps_) ++steps;
}

template <class T>
void Stream<T>::emit(T* out) noexcept {
  const Compiled<T>& m = *compiled_;
  const std::size_t stages = m.sequence_stages();
  if (!m.gives_sequences()) {
    const auto& r = std::get<Recurrent<T>>(m.stages[stages - 1]);
    for (std::size_t n = 0; n < count_; ++n)
      finish(r.readout, read_.data() + (gathers(r.readout) ? n * r.width() : 0),
             layers_.back().h.data() + n * r.state, r.width(),
             std::max<std::size_t>(m.steps_at(stages, steps_[n]), 1),
             current_.data() + n * r.features());
  }
  const T* x = current_.data();
  for (std::size_t i = stages; i < m.stages.size(); ++i) x = stage(i, x, false);
  std::copy_n(x, count_ * m.outputs(), out);
}

template <class T>
void Stream<T>::check_inputs(std::span<const T> in, std::size_t steps) const {
  check(in.size(), count_, compiled_->inputs(), steps, "inputs");
  if (compiled_->tokens() == 0) return;
  char text[200];
  if (const auto wrong = wrong_token(in, 0, compiled_->tokens(), text); !wrong.empty())
    throw ValueError("infer", wrong);
}

template <class T>
void Stream<T>::step(std::span<const T> in) {
  check_inputs(in, 1);
  const FloatEnvironment environment;
  advance(in.data(), environment.caller_flushes());
}

template <class T>
void Stream<T>::outputs(std::span<T> out) {
  check(out.size(), count_, compiled_->outputs(), 1, "outputs");
  const FloatEnvironment environment;
  emit(out.data());
}

template <class T>
void Stream<T>::step(std::span<const T> in, std::span<T> out) {
  process(in, out, 1);
}

template <class T>
void Stream<T>::process(std::span<const T> in, std::span<T> out, std::size_t steps) {
  const std::size_t inputs = count_ * compiled_->inputs(), outputs = count_ * compiled_->outputs();
  check_inputs(in, steps);
  check(out.size(), count_, compiled_->outputs(), steps, "outputs");
  const FloatEnvironment environment;
  for (std::size_t t = 0; t < steps; ++t) {
    advance(in.data() + t * inputs, environment.caller_flushes());
    emit(out.data() + t * outputs);
  }
}

template <class T>
void Stream<T>::reset() {
  for (std::size_t n = 0; n < count_; ++n) begin(n);
}

template <class T>
void Stream<T>::reset(std::size_t sequence) {
  if (sequence >= count_)
    throw ValueError(
        "stream", fmt::format("there is no sequence {}, expected 0 to {}", sequence, count_ - 1));
  begin(sequence);
}

template <class T>
void Stream<T>::set_state(std::size_t layer, std::span<const T> h, std::span<const T> c) {
  if (layer >= layers_.size() || h.size() != layers_[layer].h.size() ||
      c.size() != layers_[layer].c.size())
    throw ShapeError(
        "stream",
        fmt::format("{} and {} numbers given for the states h and c of layer "
                    "{}, expected {}",
                    h.size(), c.size(), layer,
                    layer >= layers_.size() ? fmt::format("a layer below {}", layers_.size())
                                            : fmt::format("{} and {}", layers_[layer].h.size(),
                                                          layers_[layer].c.size())));
  std::ranges::copy(h, layers_[layer].h.begin());
  std::ranges::copy(c, layers_[layer].c.begin());
  std::ranges::fill(layers_[layer].started, std::uint8_t{1});
}

template class Stream<float>;
template class Stream<double>;

}  // namespace unroll::infer
