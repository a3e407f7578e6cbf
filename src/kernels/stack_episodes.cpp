#include "kernels/stack_episodes.h"

#include <algorithm>

#include "kernels/episodes.h"
#include "kernels/stack_memory.h"

namespace unroll::kernels {
namespace {

/// Places in a block of memory, each at a cache line.
template <class T>
class Block {
 public:
  explicit Block(T* memory) : memory_(memory) {}
  T* next(std::size_t elements) {
    T* const place = memory_ ? memory_ + size_ : nullptr;
    size_ += (elements + 15) / 16 * 16;
    return place;
  }
  std::size_t size() const { return size_; }

 private:
  T* const memory_;
  std::size_t size_ = 0;
};

/// A call with resets as a call on episodes: (L, M, P) are the states of M episodes.
template <class T>
struct OnEpisodes {
  OnEpisodes(const StackCall<T>& given, const std::uint8_t* resets, Keep keep)
      : outer(given),
        episodes(resets, given.shape.first.steps, given.shape.first.batch),
        inner(given) {
    inner.state_rows = 0;
    RecurrentShape& first = inner.shape.first;
    first.batch = episodes.count();
    first.steps = episodes.steps();
    first.lengths = episodes.lengths();
    first.part = {};
    Block<T> memory(outer.memory);
    input = memory.next(rows() * first.input);
    inner.input = without_gaps<const T>(input, first.input);
    T* const output = memory.next(outer.output.data ? rows() * width() : 0);
    // Whoever asks for the size has no memory yet. Then only counts whether there is an output.
    inner.output =
        without_gaps<T>(outer.memory && outer.output.data ? output : outer.output.data, width());
    T *const h_0 = memory.next(h_size()), *const c_0 = memory.next(c_size());
    inner.h_0 = outer.h_0 ? h_0 : nullptr;
    inner.c_0 = outer.c_0 ? c_0 : nullptr;
    inner.h_n = memory.next(h_size());
    T* const c_n = memory.next(c_size());
    inner.c_n = outer.c_n ? c_n : nullptr;
    inner.memory = memory.next(stack_memory(inner, keep));
    size = memory.size();
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

  void gather(Sequence<const T> from, std::size_t columns, T* to) const {
    episodes.for_rows(columns, [&](std::size_t row, std::size_t t, std::size_t n) {
      std::copy_n(from.at(t, n), columns, to + row * columns);
    });
  }
  void scatter(const T* from, std::size_t columns, Sequence<T> to) const {
    episodes.for_rows(columns, [&](std::size_t row, std::size_t t, std::size_t n) {
      std::copy_n(from + row * columns, columns, to.at(t, n));
    });
  }

  /// Calls f(of the episode, of its sequence) for the rows of a layer's states that `which` of its
  /// episodes share with the sequences.
  template <class F>
  void for_states(std::size_t columns, bool Episodes::Episode::*which, F f) const {
    for (std::size_t l = 0; l < outer.shape.count(); ++l)
      for (std::size_t m = 0; m < episodes.count(); ++m)
        if (episodes.all()[m].*which)
          f((l * episodes.count() + m) * columns, l, episodes.all()[m].sequence * columns);
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
  const Episodes episodes;
  StackCall<T> inner;
  T* input = nullptr;  // (rows, I)
  std::size_t size = 0;
};

/// The places in StackGradients::scratch.
template <class T>
struct EpisodeGradients {
  EpisodeGradients(const OnEpisodes<T>& on, T* memory) : block(memory) {
    output = block.next(on.rows() * on.width());
    input = block.next(on.rows() * on.outer.shape.first.input);
    h_n = block.next(on.h_size());
    c_n = block.next(on.c_size());
    h_0 = block.next(on.h_size());
    c_0 = block.next(on.c_size());
  }
  Block<T> block;
  T *output, *input, *h_n, *c_n, *h_0, *c_0;
};

}  // namespace

template <class T>
std::size_t stack_memory(const StackCall<T>& call, const std::uint8_t* resets, Keep keep) {
  return OnEpisodes<T>(call, resets, keep).size;
}

template <class T>
void forward(const StackCall<T>& call, const std::uint8_t* resets, Keep keep) {
  const OnEpisodes<T> on(call, resets, keep);
  const std::size_t outputs = call.shape.first.output(), hidden = call.shape.first.hidden;
  on.gather(call.input, call.shape.first.input, on.input);
  if (call.h_0) on.give_initial(call.h_0, outputs, const_cast<T*>(on.inner.h_0));
  if (call.c_0) on.give_initial(call.c_0, hidden, const_cast<T*>(on.inner.c_0));
  forward(on.inner, keep);
  if (call.output.data) on.scatter(on.inner.output.data, on.width(), call.output);
  if (call.h_n) on.take_final(on.inner.h_n, outputs, call.h_n);
  if (call.c_n) on.take_final(on.inner.c_n, hidden, call.c_n);
}

template <class T>
std::size_t stack_backward_scratch(const StackCall<T>& call, const std::uint8_t* resets) {
  const OnEpisodes<T> on(call, resets, Keep::for_backward);
  return EpisodeGradients<T>(on, nullptr).block.size() + stack_backward_scratch(on.inner);
}

template <class T>
void backward(const StackCall<T>& call, const std::uint8_t* resets,
              const StackGradients<T>& given) {
  const OnEpisodes<T> on(call, resets, Keep::for_backward);
  const EpisodeGradients<T> at(on, given.scratch);
  const RecurrentShape& first = call.shape.first;
  const std::size_t layers = call.shape.count(), episodes = on.episodes.count();
  StackGradients<T> inner = given;
  inner.scratch = given.scratch + at.block.size();

  if (given.output.data) {
    on.episodes.for_rows(on.width(), [&](std::size_t row, std::size_t t, std::size_t n) {
      const std::size_t step = t - given.grad_first;  // huge before the first
      if (step < given.grad_count)
        std::copy_n(given.output.at(step, n), on.width(), at.output + row * on.width());
      else
        std::fill_n(at.output + row * on.width(), on.width(), T{0});
    });
    inner.output = on.template without_gaps<const T>(at.output, on.width());
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
    for (std::size_t l = 0; l < layers; ++l) rows.push_back(to + l * episodes * columns);
    return rows;
  };
  inner.h_n = final_states(given.h_n, first.output(), at.h_n, h_n);
  inner.c_n = final_states(given.c_n, first.hidden, at.c_n, c_n);
  if (given.input.data) inner.input = on.template without_gaps<T>(at.input, first.input);
  if (given.h_0) inner.h_0 = at.h_0;
  if (given.c_0) inner.c_0 = at.c_0;
  backward(on.inner, inner);

  if (given.input.data) on.scatter(at.input, first.input, given.input);
  const auto initial_states = [&](const T* from, std::size_t columns, T* to) {
    if (!to) return;
    for (std::size_t l = 0; l < layers; ++l)
      std::fill_n(state_at(call, to, l, columns), first.batch * columns, T{0});
    on.for_states(columns, &Episodes::Episode::continues,
                  [&](std::size_t place, std::size_t l, std::size_t row) {
                    std::copy_n(from + place, columns, state_at(call, to, l, columns) + row);
                  });
  };
  initial_states(at.h_0, first.output(), given.h_0);
  initial_states(at.c_0, first.hidden, given.c_0);
}

#define UNROLL_INSTANTIATE(T)                                                            \
  template std::size_t stack_memory(const StackCall<T>&, const std::uint8_t*, Keep);     \
  template void forward(const StackCall<T>&, const std::uint8_t*, Keep);                 \
  template std::size_t stack_backward_scratch(const StackCall<T>&, const std::uint8_t*); \
  template void backward(const StackCall<T>&, const std::uint8_t*, const StackGradients<T>&);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
