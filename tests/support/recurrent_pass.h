// A pass through the driver of recurrent layers, and what it leaves.
#pragma once

#include <cstring>
#include <utility>

#include "support/recurrent_numbers.h"
#include "unroll/core/threads.h"

namespace unroll::test {

/// How sequences lie in memory.
enum class Order {
  dense,        // (T, N, features) without gaps
  padded,       // (T, N, padded_row(features))
  batch_first,  // (N, T, features)
};

/// A (T, N, features) as it lies in memory, first filled with one number.
template <class T>
class Laid {
 public:
  Laid(std::size_t steps, std::size_t batch, std::size_t features, Order order, T fill = T(NAN))
      : steps_(steps), batch_(batch), features_(features), fill_(fill) {
    const std::size_t width = order == Order::padded ? kernels::padded_row(features) : features;
    row_ = order == Order::batch_first ? steps * width : width;
    step_ = order == Order::batch_first ? width : batch * width;
    memory_.assign(steps * batch * width, fill);
  }
  Laid(std::size_t steps, std::size_t batch, std::size_t features, Order order, const T* from)
      : Laid(steps, batch, features, order) {
    each([&](std::size_t at, std::size_t dense) {
      std::copy_n(from + dense, features_, &memory_[at]);
    });
  }

  template <class U>
  kernels::Sequence<U> sequence() {
    return {memory_.data(), static_cast<std::ptrdiff_t>(step_), static_cast<std::ptrdiff_t>(row_)};
  }

  /// (T, N, features) without gaps. What lies between rows must be as it was.
  std::vector<T> dense() {
    std::vector<T> result(steps_ * batch_ * features_);
    each([&](std::size_t at, std::size_t to) {
      std::copy_n(&memory_[at], features_, &result[to]);
      std::fill_n(&memory_[at], features_, fill_);
    });
    EXPECT_EQ(bits_of(memory_), bits_of(std::vector<T>(memory_.size(), fill_)))
        << "something was written between rows";
    return result;
  }

 private:
  template <class F>
  void each(F f) const {
    for (std::size_t t = 0; t < steps_; ++t)
      for (std::size_t n = 0; n < batch_; ++n)
        f(t * step_ + n * row_, (t * batch_ + n) * features_);
  }

  std::size_t steps_, batch_, features_, row_, step_;
  T fill_;
  std::vector<T> memory_;
};

template <class T>
kernels::RecurrentMasks<T> masks_of(const RecurrentNumbers<T>& numbers) {
  const kernels::RecurrentShape& s = numbers.layer.shape;
  const auto sequence = [&](const char* name, std::size_t features) {
    const auto row = static_cast<std::ptrdiff_t>(features);
    return kernels::Sequence<const T>{pointer(numbers.masks, name),
                                      row * static_cast<std::ptrdiff_t>(s.batch), row};
  };
  kernels::RecurrentMasks<T> masks;
  masks.state = pointer(numbers.masks, "state");
  masks.candidate = sequence("candidate", s.hidden);
  masks.zone_h = sequence("zone_h", s.output());
  masks.zone_c = sequence("zone_c", s.hidden);
  masks.zone_h_rate = numbers.kZoneH;
  masks.zone_c_rate = numbers.kZoneC;
  return masks;
}

template <class T>
std::vector<T> packed(const RecurrentNumbers<T>& numbers) {
  const kernels::RecurrentShape s = numbers.shape();
  std::vector<T> packed(kernels::RecurrentPlan(s).packed_size, T(NAN));
  kernels::pack(s, numbers.weights(), packed.data());
  return packed;
}

/// One pass with these numbers. All memory starts as NaN, so that nobody reads before writing.
template <class T>
class RecurrentPass {
 public:
  explicit RecurrentPass(const RecurrentNumbers<T>& numbers, Order order = Order::dense)
      : in_(numbers),
        s_(numbers.shape()),
        plan_(s_),
        packed_(packed(numbers)),
        input_(laid(s_.input, s_.steps, order, numbers.values.at("input").data())),
        output_(s_.steps, s_.batch, s_.output(), order),
        order_(order) {}

  /// "output" of all steps, "h_n" and "c_n".
  Named<T> forward() {
    Named<T> states = forward(output_, s_.steps);
    states["output"] = Laid<T>(output_).dense();
    return states;
  }
  /// Where no gradient is wanted: "h_n" and "c_n", with the states of two steps in memory.
  Named<T> forward_only() {
    Laid<T> two(2, s_.batch, s_.output(), order_);
    return forward(two, 2);
  }

  /// Forward and backward; where only the weights' gradients are wanted, no others are there.
  RecurrentResults<T> run(bool only_weights = false) {
    RecurrentResults<T> r;
    r.states = forward();
    const bool memory = kernels::traits_of(s_.cell).memory;
    std::vector<T> gradients(plan_.gradient_blocks * plan_.gradient_size, T(NAN)),
        scratch(plan_.backward_scratch, T(NAN));
    Laid<T> grad_input(s_.steps, s_.batch, s_.input, order_, T{kUntouched});
    kernels::RecurrentBackward<T> call;
    call.shape = s_;
    call.weights = in_.weights();
    call.input = input_.template sequence<const T>();
    call.h_0 = pointer(in_.values, "h_0");
    call.c_0 = pointer(in_.values, "c_0");
    call.output = output_.template sequence<const T>();
    call.saved = saved_.data();
    call.masks = masks_of(in_);
    if (s_.layer_norm) call.packed = packed_.data();
    Laid<T> grad_output(in_.grad_count, s_.batch, s_.output(), order_);
    if (const T* const outside = pointer(in_.gradients, "output")) {
      grad_output = laid(s_.output(), in_.grad_count, order_, outside);
      call.grad_output = grad_output.template sequence<const T>();
      call.grad_first = in_.grad_first;
      call.grad_count = in_.grad_count;
    }
    call.grad_h_n = pointer(in_.gradients, "h_n");
    call.grad_c_n = pointer(in_.gradients, "c_n");
    if (!only_weights) call.grad_input = grad_input.template sequence<T>();
    if (in_.layer.first_states && !only_weights) {
      r.gradients["h_0"].assign(s_.batch * s_.output(), T(NAN));
      call.grad_h_0 = r.gradients["h_0"].data();
      if (memory) {
        r.gradients["c_0"].assign(s_.batch * s_.hidden, T(NAN));
        call.grad_c_0 = r.gradients["c_0"].data();
      }
    }
    call.gradients = gradients.data();
    call.scratch = scratch.data();
    kernels::backward(call);
    if (!only_weights) r.gradients["input"] = grad_input.dense();
    take_weights(gradients, r.gradients);
    return r;
  }

 private:
  Laid<T> laid(std::size_t features, std::size_t steps, Order order, const T* from) const {
    return Laid<T>(steps, s_.batch, features, order, from);
  }

  Named<T> forward(Laid<T>& output, std::size_t slots) {
    Named<T> states;
    states["h_n"].assign(s_.batch * s_.output(), T(NAN));
    if (kernels::traits_of(s_.cell).memory) states["c_n"].assign(s_.batch * s_.hidden, T(NAN));
    saved_.assign(plan_.saved_size(s_, slots), T(NAN));
    kernels::RecurrentForward<T> call;
    call.shape = s_;
    call.packed = packed_.data();
    call.input = input_.template sequence<const T>();
    call.h_0 = pointer(in_.values, "h_0");
    call.c_0 = pointer(in_.values, "c_0");
    call.output = output.template sequence<T>();
    call.saved = saved_.data();
    call.slots = call.saved_slots = slots;
    call.h_n = states["h_n"].data();
    if (states.contains("c_n")) call.c_n = states["c_n"].data();
    call.masks = masks_of(in_);
    kernels::forward(call);
    return states;
  }

  void take_weights(const std::vector<T>& from, Named<T>& to) const {
    const kernels::GradientLayout at(s_);
    const std::size_t gates = s_.gates() * s_.hidden;
    using enum WeightRole;
    const auto take = [&](const char* name, WeightRole role, std::size_t count) {
      if (!in_.values.contains(name)) return;
      const auto first = from.begin() + static_cast<std::ptrdiff_t>(at.place[role]);
      to[name].assign(first, first + static_cast<std::ptrdiff_t>(count));
    };
    for (std::size_t j = 0; j < gates; ++j)
      for (std::size_t i = 0; i < s_.input; ++i)
        to["weight_ih"].push_back(from[at.place[weight_ih] + j * at.ih_row + i * at.ih_column]);
    take("weight_hh", weight_hh, gates * s_.output());
    take("weight_hr", weight_hr, s_.projection * s_.hidden);
    take("bias_ih", bias_ih, gates);
    take("bias_hh", bias_hh, gates);
    take("norm_ih_weight", norm_ih_weight, gates);
    take("norm_ih_bias", norm_ih_bias, gates);
    take("norm_hh_weight", norm_hh_weight, gates);
    take("norm_hh_bias", norm_hh_bias, gates);
    take("norm_c_weight", norm_c_weight, s_.hidden);
    take("norm_c_bias", norm_c_bias, s_.hidden);
  }

  const RecurrentNumbers<T>& in_;
  const kernels::RecurrentShape s_;
  const kernels::RecurrentPlan plan_;
  const std::vector<T> packed_;
  Laid<T> input_, output_;
  std::vector<T> saved_;
  Order order_;
};

template <class T>
RecurrentResults<T> drive(const RecurrentNumbers<T>& numbers, Order order = Order::dense) {
  return RecurrentPass<T>(numbers, order).run();
}

/// Runs on every instruction set, and leaves the number of threads as it was.
class RecurrentTest : public KernelTest {
 protected:
  ~RecurrentTest() override { set_num_threads(threads_before_); }

 private:
  int threads_before_ = num_threads();
};

}  // namespace unroll::test
