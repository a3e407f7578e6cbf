#include "kernels/stack_episodes.h"

#include <algorithm>

#include "kernels/places.h"
#include "kernels/stack_memory.h"

namespace unroll::kernels {
namespace {

/// A call with episodes as a call on them. M is the number of episodes.
template <class T>
struct OnEpisodes {
  OnEpisodes(const StackCall<T>& given, const Episodes& of, Keep keep)
      : outer(given), episodes(of), inner(given) {
    inner.state_rows = 0;
    RecurrentShape& first = inner.shape.first;
    first.batch = episodes.count();
    first.steps = episodes.steps();
    first.lengths = episodes.lengths();
    first.part = {};
    Places places;
    // Whoever asks for the size has no memory yet. Then only counts whether there is an output.
    const auto next = [&](std::size_t elements) {
      const std::size_t place = places.next(elements);
      return outer.memory ? outer.memory + place : nullptr;
    };
    input = next(rows() * first.input);
    inner.input = without_gaps<const T>(input, first.input);
    T* const output = next(outer.output.data ? rows() * width() : 0);
    inner.output =
        without_gaps<T>(outer.memory && outer.output.data ? output : outer.output.data, width());
    h_0 = next(h_size());
    c_0 = next(c_size());
    inner.h_0 = outer.h_0 ? h_0 : nullptr;
    inner.c_0 = outer.c_0 ? c_0 : nullptr;
    inner.h_n = next(h_size());
    T* const c_n = next(c_size());
    inner.c_n = outer.c_n ? c_n : nullptr;
    inner.memory = next(stack_memory(inner, keep));
    size = places.size();
  }

  std::size_t rows() const { return outer.shape.first.steps * outer.shape.first.batch; }
  std::size_t width() const { return outer.shape.width(); }
  std::size_t h_size() const { return states() * outer.shape.first.output(); }
  std::size_t c_size() const { return states() * outer.shape.first.hidden; }
  std::size_t states() const { return outer.shape.count() * episodes.count(); }

  template <class U>
  Sequence<U> without_gaps(U* data, std::size_t columns) const {
    return {data, 0, static_cast<std::ptrdiff_t>(columns), episodes.first_row()};
  }

  /// Calls f(row, t, n) on all threads: row `row` of the episodes without gaps is step t of
  /// sequence n. `columns` is the size of a row.
  template <class F>
  void for_episode_rows(std::size_t columns, F f) const {
    for_rows(inner.shape.first, columns, [&](std::size_t s, std::size_t m) {
      f(episodes.first_row()[s] + m, episodes[m].first + s, episodes[m].sequence);
    });
  }
  void gather(Sequence<const T> from, std::size_t columns, T* to) const {
    for_episode_rows(columns, [&](std::size_t row, std::size_t t, std::size_t n) {
      std::copy_n(from.at(t, n), columns, to + row * columns);
    });
  }
  void scatter(const T* from, std::size_t columns, Sequence<T> to) const {
    for_episode_rows(columns, [&](std::size_t row, std::size_t t, std::size_t n) {
      std::copy_n(from + row * columns, columns, to.at(t, n));
    });
  }

  /// Calls f(of the episode, of its sequence) for the rows of a layer's states that `which` of its
  /// episodes share with the sequences.
  template <class F>
  void for_states(std::size_t columns, bool Episodes::Episode::*which, F f) const {
    for (std::size_t l = 0; l < outer.shape.count(); ++l)
      for (std::size_t m = 0; m < episodes.count(); ++m)
        if (episodes[m].*which)
          f((l * episodes.count() + m) * columns, l, episodes[m].sequence * columns);
  }
  /// The states of episodes that continue a sequence; zeros for the others.
  void give_initial(const T* from, std::size_t columns, T* to) const {
    std::fill_n(to, states() * columns, T{0});
    for_states(columns, &Episodes::Episode::continues,
               [&](std::size_t place, std::size_t l, std::size_t row) {
                 std::copy_n(state_at(outer, from, l, columns) + row, columns, to + place);
               });
  }
  void take_final(const T* from, std::size_t columns, T* to) const {
    for_states(columns, &Episodes::Episode::is_last,
               [&](std::size_t place, std::size_t l, std::size_t row) {
                 std::copy_n(from + place, columns, state_at(outer, to, l, columns) + row);
               });
  }

  const StackCall<T>& outer;
  const Episodes& episodes;
  StackCall<T> inner;
  T* input = nullptr;                // (rows, I)
  T *h_0 = nullptr, *c_0 = nullptr;  // (L, M, P), (L, M, H)
  std::size_t size = 0;
};

/// The places in StackGradients::scratch.
template <class T>
struct EpisodeScratch {
  explicit EpisodeScratch(const OnEpisodes<T>& on) {
    Places places;
    output = places.next(on.rows() * on.width());
    input = places.next(on.rows() * on.outer.shape.first.input);
    h_n = places.next(on.h_size());
    c_n = places.next(on.c_size());
    h_0 = places.next(on.h_size());
    c_0 = places.next(on.c_size());
    inner = places.size();
  }
  std::size_t output, input, h_n, c_n, h_0, c_0, inner;
};

}  // namespace

template <class T>
std::size_t stack_memory(const StackCall<T>& call, const Episodes& episodes, Keep keep) {
  return OnEpisodes<T>(call, episodes, keep).size;
}

template <class T>
void forward(const StackCall<T>& call, const Episodes& episodes, Keep keep) {
  const OnEpisodes<T> on(call, episodes, keep);
  const std::size_t outputs = call.shape.first.output(), hidden = call.shape.first.hidden;
  on.gather(call.input, call.shape.first.input, on.input);
  if (call.h_0) on.give_initial(call.h_0, outputs, on.h_0);
  if (call.c_0) on.give_initial(call.c_0, hidden, on.c_0);
  forward(on.inner, keep);
  if (call.output.data) on.scatter(on.inner.output.data, on.width(), call.output);
  if (call.h_n) on.take_final(on.inner.h_n, outputs, call.h_n);
  if (call.c_n) on.take_final(on.inner.c_n, hidden, call.c_n);
}

template <class T>
std::size_t stack_backward_scratch(const StackCall<T>& call, const Episodes& episodes) {
  const OnEpisodes<T> on(call, episodes, Keep::for_backward);
  return EpisodeScratch<T>(on).inner + stack_backward_scratch(on.inner);
}

template <class T>
void backward(const StackCall<T>& call, const Episodes& episodes, const StackGradients<T>& given) {
  const OnEpisodes<T> on(call, episodes, Keep::for_backward);
  const EpisodeScratch<T> at(on);
  const auto scratch = [&](std::size_t offset) { return given.scratch + offset; };
  const RecurrentShape& first = call.shape.first;
  const std::size_t layers = call.shape.count();
  StackGradients<T> inner = given;
  inner.scratch = scratch(at.inner);

  if (given.output.data) {
    T* const output = scratch(at.output);
    on.for_episode_rows(on.width(), [&](std::size_t row, std::size_t t, std::size_t n) {
      const std::size_t step = t - given.grad_first;  // huge before the first
      if (step < given.grad_count)
        std::copy_n(given.output.at(step, n), on.width(), output + row * on.width());
      else
        std::fill_n(output + row * on.width(), on.width(), T{0});
    });
    inner.output = on.template without_gaps<const T>(output, on.width());
    inner.grad_first = 0;
    inner.grad_count = on.episodes.steps();
  }
  std::vector<const T*> h_n, c_n;
  const auto final_states = [&](std::span<const T* const> from, std::size_t columns, T* to,
                                std::vector<const T*>& rows) -> std::span<const T* const> {
    if (from.empty()) return {};
    std::fill_n(to, on.states() * columns, T{0});
    on.for_states(columns, &Episodes::Episode::is_last,
                  [&](std::size_t place, std::size_t l, std::size_t row) {
                    if (from[l]) std::copy_n(from[l] + row, columns, to + place);
                  });
    for (std::size_t l = 0; l < layers; ++l) rows.push_back(to + l * episodes.count() * columns);
    return rows;
  };
  inner.h_n = final_states(given.h_n, first.output(), scratch(at.h_n), h_n);
  inner.c_n = final_states(given.c_n, first.hidden, scratch(at.c_n), c_n);
  if (given.input.data) inner.input = on.template without_gaps<T>(scratch(at.input), first.input);
  if (given.h_0) inner.h_0 = scratch(at.h_0);
  if (given.c_0) inner.c_0 = scratch(at.c_0);
  backward(on.inner, inner);

  if (given.input.data) on.scatter(scratch(at.input), first.input, given.input);
  const auto initial_states = [&](const T* from, std::size_t columns, T* to) {
    if (!to) return;
    for (std::size_t l = 0; l < layers; ++l)
      std::fill_n(state_at(call, to, l, columns), first.batch * columns, T{0});
    on.for_states(columns, &Episodes::Episode::continues,
                  [&](std::size_t place, std::size_t l, std::size_t row) {
                    std::copy_n(from + place, columns, state_at(call, to, l, columns) + row);
                  });
  };
  initial_states(scratch(at.h_0), first.output(), given.h_0);
  initial_states(scratch(at.c_0), first.hidden, given.c_0);
}

#define UNROLL_INSTANTIATE(T)                                                        \
  template std::size_t stack_memory(const StackCall<T>&, const Episodes&, Keep);     \
  template void forward(const StackCall<T>&, const Episodes&, Keep);                 \
  template std::size_t stack_backward_scratch(const StackCall<T>&, const Episodes&); \
  template void backward(const StackCall<T>&, const Episodes&, const StackGradients<T>&);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
