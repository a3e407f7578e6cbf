#include "kernels/places.h"
#include "kernels/stack_memory.h"
#include "kernels/transpose.h"

namespace unroll::kernels {
namespace {

/// The places in StackGradients::scratch.
template <class T>
struct StackScratch {
  explicit StackScratch(const StackCall<T>& call) {
    const StackShape& stack = call.shape;
    std::size_t blocks_size = 0, pass_size = 0, widest = 0;
    for (std::size_t l = 0; l < stack.layers; ++l)
      for (std::size_t d = 0; d < stack.directions; ++d) {
        const RecurrentPlan plan(shape_of(call, l, d));
        blocks_size = std::max(blocks_size, plan.gradient_blocks * plan.gradient_size);
        pass_size = std::max(pass_size, plan.backward_scratch);
        widest = std::max(widest, stack.input(l));
      }
    const std::size_t rows = stack.first.steps * stack.first.batch;
    const std::size_t below = stack.layers > 1 ? rows * padded_row(stack.width()) : 0;
    Places places;
    blocks = places.next(blocks_size);
    pass = places.next(pass_size);
    inputs[0] = places.next(below);
    inputs[1] = places.next(below);
    second = places.next(stack.directions > 1 ? rows * padded_row(widest) : 0);
    size = places.size();
  }
  std::size_t blocks;     // of gradients, of one layer and direction
  std::size_t pass;       // scratch of one layer and direction
  std::size_t inputs[2];  // (T, N, D P): layers alternate between the two
  std::size_t second;     // (T, N, I or D P): the input's gradient by the second direction
  std::size_t size;
};

template <class T>
class StackBackward {
 public:
  StackBackward(const StackCall<T>& call, const StackGradients<T>& gradients)
      : call_(call),
        stack_(call.shape),
        gradients_(gradients),
        memory_(call, Keep::for_backward),
        at_(call) {}

  void run() const {
    Sequence<const T> output = gradients_.output;
    std::size_t first = gradients_.grad_first, count = output.data ? gradients_.grad_count : 0;
    for (std::size_t l = stack_.layers; l-- > 0;) {
      const Sequence<T> input = l > 0 ? dense(at_.inputs[l % 2], stack_.width()) : gradients_.input;
      if (input.data) clear_past_ends(input, stack_.input(l));
      for (std::size_t d = 0; d < stack_.directions; ++d) {
        const bool second = d == 1 && input.data;
        RecurrentBackward<T> pass;
        pass.grad_output = of_direction(output, stack_, d);
        pass.grad_first = first;
        pass.grad_count = count;
        pass.grad_input = second ? dense(at_.second, stack_.input(l)) : input;
        run_pass(l, d, pass);
        if (second)
          combine(input, Sequence<const T>(pass.grad_input), stack_.input(l),
                  [](T a, T b) { return a + b; });
      }
      if (const auto factors = input_factors(call_, l); input.data && factors.data)
        combine(input, factors, stack_.input(l), [](T a, T b) { return a * b; });
      output = input;
      first = 0;
      count = stack_.first.steps;
    }
  }

 private:
  Sequence<T> dense(std::size_t place, std::size_t columns) const {
    const std::size_t row = padded_row(columns);
    return {gradients_.scratch + place, static_cast<std::ptrdiff_t>(stack_.first.batch * row),
            static_cast<std::ptrdiff_t>(row)};
  }

  void run_pass(std::size_t l, std::size_t d, RecurrentBackward<T>& pass) const {
    const std::size_t index = l * stack_.directions + d;
    const auto given = [&](std::span<const T* const> rows) {
      return rows.empty() ? nullptr : rows[index];
    };
    const std::size_t outputs = stack_.first.output(), hidden = stack_.first.hidden;
    pass.shape = shape_of(call_, l, d);
    pass.weights = gradients_.weights[index];
    pass.input = memory_.read(l);
    pass.h_0 = state_at(call_, call_.h_0, index, outputs);
    pass.c_0 = state_at(call_, call_.c_0, index, hidden);
    pass.output = of_direction(memory_.output(l), stack_, d);
    pass.saved = memory_.saved(index);
    pass.masks = masks_of(call_, index);
    if (pass.shape.layer_norm) pass.packed = call_.packed->at(index);
    pass.weight_hh_factors = factors_of(call_, index).weight_hh;
    pass.grad_h_n = given(gradients_.h_n);
    pass.grad_c_n = given(gradients_.c_n);
    pass.grad_h_0 = state_at(call_, gradients_.h_0, index, outputs);
    pass.grad_c_0 = state_at(call_, gradients_.c_0, index, hidden);
    pass.gradients = gradients_.scratch + at_.blocks;
    pass.scratch = gradients_.scratch + at_.pass;
    backward(pass);
    give_weights(pass.shape, gradients_.of_weights[index]);
  }

  /// Copies the gradients of the weights from the first block.
  void give_weights(const RecurrentShape& shape, const PerRole<T*>& to) const {
    const GradientLayout at(shape);
    const std::size_t gates = shape.gates() * shape.hidden;
    for (const WeightRole role : all_weight_roles) {
      if (!to[role]) continue;
      const T* const from = gradients_.scratch + at_.blocks + at.place[role];
      if (role == WeightRole::weight_ih && at.ih_row == 1)
        transpose(from, shape.input, gates, to[role], shape.input);
      else
        std::copy_n(from, weight_size(shape, role), to[role]);
    }
  }

  /// to = f(to, with) for the rows of all sequences.
  template <class F>
  void combine(Sequence<T> to, Sequence<const T> with, std::size_t columns, F f) const {
    for_rows(stack_.first, columns, [&](std::size_t t, std::size_t n) {
      T* const a = to.at(t, n);
      const T* const b = with.at(t, n);
      for (std::size_t j = 0; j < columns; ++j) a[j] = f(a[j], b[j]);
    });
  }

  void clear_past_ends(Sequence<T> numbers, std::size_t columns) const {
    const std::size_t* const lengths = stack_.first.lengths;
    if (!lengths || numbers.first_row) return;
    for (std::size_t n = 0; n < stack_.first.batch; ++n)
      for (std::size_t t = lengths[n]; t < stack_.first.steps; ++t)
        std::fill_n(numbers.at(t, n), columns, T{0});
  }

  const StackCall<T>& call_;
  const StackShape& stack_;
  const StackGradients<T>& gradients_;
  const StackMemory<T> memory_;
  const StackScratch<T> at_;
};

}  // namespace

template <class T>
std::size_t stack_backward_scratch(const StackCall<T>& call) {
  return StackScratch<T>(call).size;
}

template <class T>
void backward(const StackCall<T>& call, const StackGradients<T>& gradients) {
  StackBackward<T>(call, gradients).run();
}

#define UNROLL_INSTANTIATE(T)                                       \
  template std::size_t stack_backward_scratch(const StackCall<T>&); \
  template void backward(const StackCall<T>&, const StackGradients<T>&);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
