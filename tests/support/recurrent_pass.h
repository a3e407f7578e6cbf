// A pass through the driver of recurrent layers, and what it leaves.
#pragma once

#include <cmath>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#include "kernels/recurrent.h"
#include "support/kernel_test.h"
#include "support/plain_rnn.h"

namespace unroll::test {

/// What a pass through the driver leaves.
template <class T>
struct RecurrentResults {
  std::vector<T> states, grad_input, grad_h_0, gradients;

  friend bool operator==(const RecurrentResults& a, const RecurrentResults& b) {
    return bits_of(a.states) == bits_of(b.states) &&
           bits_of(a.grad_input) == bits_of(b.grad_input) &&
           bits_of(a.grad_h_0) == bits_of(b.grad_h_0) &&
           bits_of(a.gradients) == bits_of(b.gradients);
  }
};

/// (..., S) to (..., H)
template <class T>
std::vector<T> without_padding(const kernels::RecurrentShape& s, const std::vector<T>& states) {
  std::vector<T> dense;
  for (std::size_t at = 0; at < states.size(); at += kernels::padded_row(s.hidden))
    dense.insert(dense.end(), &states[at], &states[at] + s.hidden);
  return dense;
}

/// The layers' weights as the driver takes them.
template <class T>
std::vector<kernels::RecurrentWeights<T>> weights_of(const PlainRnn<T>& rnn) {
  std::vector<kernels::RecurrentWeights<T>> weights;
  for (const auto& w : rnn.layers)
    weights.push_back({w.weight_ih.data(), w.weight_hh.data(),
                       rnn.shape.bias ? w.bias_ih.data() : nullptr,
                       rnn.shape.bias ? w.bias_hh.data() : nullptr});
  return weights;
}

/// Forward and backward with these numbers; with batch_first the sequences lie (N, T, ...).
template <class T>
RecurrentResults<T> drive(const PlainRnn<T>& rnn, bool batch_first = false) {
  const kernels::RecurrentShape& s = rnn.shape;
  const kernels::RecurrentPlan plan(s);
  const auto strides = [&](std::size_t features) {
    const auto near = static_cast<std::ptrdiff_t>(features);
    const auto far = near * static_cast<std::ptrdiff_t>(batch_first ? s.steps : s.batch);
    return batch_first ? std::pair(near, far) : std::pair(far, near);  // of a step, of a row
  };
  const auto ordered = [&](const std::vector<T>& values, std::size_t features, bool back) {
    if (!batch_first || values.empty()) return values;
    std::vector<T> result(values.size());
    for (std::size_t t = 0; t < s.steps; ++t)
      for (std::size_t n = 0; n < s.batch; ++n) {
        const std::size_t outer = (t * s.batch + n) * features,
                          inner = (n * s.steps + t) * features;
        std::memcpy(&result[back ? outer : inner], &values[back ? inner : outer],
                    features * sizeof(T));
      }
    return result;
  };

  RecurrentResults<T> r;
  const auto weights = weights_of(rnn);
  std::vector<T> packed(plan.packed_size, NAN);
  kernels::pack(s, weights.data(), packed.data());
  const std::vector<T> input = ordered(rnn.input, s.input, false);
  // NaN wherever nobody should read before writing.
  std::vector<T> states(s.layers * (s.steps + 1) * s.batch * plan.row_stride, NAN);
  const auto [input_step, input_row] = strides(s.input);
  const T* h_0 = rnn.h_0.empty() ? nullptr : rnn.h_0.data();
  kernels::forward(kernels::RecurrentForward<T>{s, packed.data(), input.data(), input_step,
                                                input_row, h_0, states.data(), s.steps + 1});
  r.states = without_padding(s, states);

  const std::vector<T> grad_output = ordered(rnn.grad_output, s.hidden, false);
  std::vector<T> gradients(plan.gradient_blocks * plan.gradient_size, NAN);
  std::vector<T> scratch(plan.backward_scratch, NAN);
  r.grad_input.assign(input.size(), NAN);
  r.grad_h_0.assign(s.layers * s.batch * s.hidden, NAN);
  kernels::RecurrentBackward<T> call{};
  call.shape = s;
  call.weights = weights.data();
  call.input = input.data();
  call.input_step = call.grad_input_step = input_step;
  call.input_row = call.grad_input_row = input_row;
  call.has_h_0 = h_0 != nullptr;
  call.states = states.data();
  call.grad_output = grad_output.data();
  call.grad_count = s.steps;
  std::tie(call.grad_step, call.grad_row) = strides(s.hidden);
  call.grad_h_n = rnn.grad_h_n.data();
  call.grad_input = r.grad_input.data();
  call.grad_h_0 = r.grad_h_0.data();
  call.gradients = gradients.data();
  call.scratch = scratch.data();
  kernels::backward(call);
  r.grad_input = ordered(r.grad_input, s.input, true);
  for (std::size_t l = 0; l < s.layers; ++l) {
    const kernels::GradientLayout at = kernels::gradient_layout(s, l);
    const auto take = [&](std::size_t offset, std::size_t count) {
      r.gradients.insert(r.gradients.end(), &gradients[offset], &gradients[offset] + count);
    };
    for (std::size_t j = 0; j < s.hidden; ++j)
      for (std::size_t i = 0; i < s.input_of(l); ++i)
        take(at.weight_ih + j * at.ih_row + i * at.ih_column, 1);
    take(at.weight_hh, s.hidden * s.hidden);
    if (s.bias) take(at.bias, s.hidden);
  }
  return r;
}

}  // namespace unroll::test
