#include <cstring>
#include <utility>

#include "kernels/recurrent_step.h"
#include "kernels/recurrent_time.h"

namespace unroll::kernels {
namespace {

template <class T>
class Forward {
 public:
  explicit Forward(const RecurrentForward<T>& call)
      : call_(call),
        s_(call.shape),
        time_(s_),
        sums_(s_),
        saved_(s_, call.saved_slots),
        step_(s_, call.packed) {}

  void run(Rows all) const {
    if (s_.state_dropout && call_.h_0) mask_first(all);
    for (std::size_t s = 0; s < s_.steps; ++s) {
      make_step(s, all, {0, s_.hidden});
      finish_step(s, all);
    }
  }

  void run_shared() const {
    const Rows all{0, s_.batch};
    for (std::size_t s = 0; s < s_.steps; ++s) {
      for_tiles(s_.hidden, [&](Columns units) { make_step(s, all, units); });
      finish_step(s, all);
    }
  }

 private:
  void make_step(std::size_t s, Rows all, Columns units) const {
    const Rows going_on = time_.continuing(s, all), beginning = time_.starting(s, all);
    if (going_on.count() > 0) step_(rows_of(s, going_on, false), units);
    if (beginning.count() > 0) step_(rows_of(s, beginning, true), units);
  }

  void finish_step(std::size_t s, Rows all) const {
    const Rows ending = time_.ending(s, all);
    for (std::size_t n = ending.begin; n < ending.end; ++n) give_last(s, n);
    // Sequences without gaps have no rows past an end.
    if (call_.slots == s_.steps && !call_.output.first_row)
      clear(s, {time_.active(s, all).end, all.end});
  }

  std::size_t slot(std::size_t s) const { return time_.t(s) % call_.slots; }
  std::size_t saved_slot(std::size_t s) const { return time_.t(s) % call_.saved_slots; }

  /// A part of the saved memory, (saved_slots, N, row), at step s.
  Matrix<T> saved(std::size_t place, std::size_t row, std::size_t s, std::size_t n) const {
    return {call_.saved + place + (saved_slot(s) * s_.batch + n) * row,
            static_cast<std::ptrdiff_t>(row)};
  }
  /// h_0 times its factors.
  Matrix<T> masked_first(std::size_t n) const {
    return {call_.saved + saved_.masked_0 + n * saved_.output_row,
            static_cast<std::ptrdiff_t>(saved_.output_row)};
  }

  void mask_first(Rows rows) const {
    const auto output = static_cast<std::ptrdiff_t>(s_.output());
    table<T>().rows.multiply({rows.count(), s_.output()}, masked_first(rows.begin),
                             {call_.h_0 + rows.begin * s_.output(), output},
                             {call_.masks.state + rows.begin * s_.output(), output});
  }

  StepRows<T> rows_of(std::size_t s, Rows rows, bool first) const {
    const std::size_t t = time_.t(s), n = rows.begin;
    const bool memory = s_.traits().memory;
    const auto constant = [](Matrix<T> m) { return Matrix<const T>{m.data, m.row}; };
    const auto dense = [&](const T* data, std::size_t columns) {
      return Matrix<const T>{data ? data + n * columns : nullptr,
                             static_cast<std::ptrdiff_t>(columns)};
    };
    const auto of = [&](const Sequence<const T>& sequence) {
      return Matrix<const T>{sequence.data ? sequence.at(t, n) : nullptr, sequence.row};
    };
    StepRows<T> step;
    step.count = rows.count();
    step.input = of(call_.input);
    step.h = {call_.output.at(slot(s), n), call_.output.row};
    if (!s_.fused()) step.z = saved(saved_.z, sums_.row, s, n);
    if (memory) step.c = saved(saved_.c, saved_.hidden_row, s, n);
    if (s_.projection) step.unprojected = saved(saved_.unprojected, saved_.hidden_row, s, n);
    if (s_.layer_norm) step.statistics = saved(saved_.statistics, kStatistics, s, n);
    if (first) {
      step.h_before = dense(call_.h_0, s_.output());
      step.c_before = dense(call_.c_0, s_.hidden);
    } else {
      step.h_before = {call_.output.at(slot(s - 1), n), call_.output.row};
      if (memory) step.c_before = constant(saved(saved_.c, saved_.hidden_row, s - 1, n));
    }
    step.state = step.h_before;
    if (s_.state_dropout) {
      step.masked = saved(saved_.masked, saved_.output_row, s, n);
      step.state_factors = dense(call_.masks.state, s_.output());
      if (step.state.data)
        step.state =
            constant(first ? masked_first(n) : saved(saved_.masked, saved_.output_row, s - 1, n));
    }
    step.keep = of(call_.masks.candidate);
    step.zone_h = {of(call_.masks.zone_h), call_.masks.zone_h_rate};
    step.zone_c = {of(call_.masks.zone_c), call_.masks.zone_c_rate};
    return step;
  }

  /// Writes the final state of sequence n, which ends with step s.
  void give_last(std::size_t s, std::size_t n) const {
    if (call_.h_n)
      std::memcpy(call_.h_n + n * s_.output(), call_.output.at(slot(s), n),
                  s_.output() * sizeof(T));
    if (call_.c_n)
      std::memcpy(call_.c_n + n * s_.hidden, saved(saved_.c, saved_.hidden_row, s, n).data,
                  s_.hidden * sizeof(T));
  }

  void clear(std::size_t s, Rows rows) const {
    for (std::size_t n = rows.begin; n < rows.end; ++n)
      std::fill_n(call_.output.at(slot(s), n), s_.output(), T{0});
  }

  const RecurrentForward<T>& call_;
  const RecurrentShape& s_;
  const TimeAxis time_;
  const Sums sums_;
  const SavedLayout saved_;
  const StepForward<T> step_;
};

}  // namespace

template <class T>
void forward(const RecurrentForward<T>& call) {
  const Forward<T> pass(call);
  if (steps_are_shared(call.shape)) return pass.run_shared();
  Tasks(call.shape, Tasks::Of::rows, 0, call.shape.steps).run([&](Rows rows) { pass.run(rows); });
}

template <class T>
void step(const RecurrentStep<T>& call) noexcept {
  step(call, StepPlan(call.shape));
}

template <class T>
void step(const RecurrentStep<T>& call, const StepPlan& plan) noexcept {
  const RecurrentShape& s = call.shape;
  const SavedLayout& saved = plan.saved;
  const auto output = static_cast<std::ptrdiff_t>(s.output()),
             hidden = static_cast<std::ptrdiff_t>(s.hidden),
             hidden_row = static_cast<std::ptrdiff_t>(saved.hidden_row);
  StepRows<T> rows;
  rows.count = s.batch;
  rows.input = {call.input, call.input_row};
  rows.state = rows.h_before = {call.h, output};
  rows.h = {call.next_h, output};
  rows.c_before = {call.c, hidden};
  rows.c = {call.next_c, hidden};
  rows.z = {call.scratch + saved.z, static_cast<std::ptrdiff_t>(plan.sums.row)};
  rows.unprojected = {call.scratch + saved.unprojected, hidden_row};
  rows.statistics = {call.scratch + saved.statistics, kStatistics};
  rows.zone_h.rate = call.zone_h_rate;
  rows.zone_c.rate = call.zone_c_rate;
  StepForward<T>(s, call.packed, plan.sums, plan.packed)(rows);
}

#define UNROLL_INSTANTIATE(T)                           \
  template void forward(const RecurrentForward<T>&);    \
  template void step(const RecurrentStep<T>&) noexcept; \
  template void step(const RecurrentStep<T>&, const StepPlan&) noexcept;
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
