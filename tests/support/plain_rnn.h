// A recurrent layer as plain loops in the order that the driver documents.
#pragma once

#include <algorithm>

#include "kernels/recurrent.h"
#include "support/kernel_test.h"

namespace unroll::test {

/// Numbers for one pass, and the pass.
template <class T>
struct PlainRnn {
  struct Layer {
    std::vector<T> weight_ih, weight_hh, bias_ih, bias_hh;
  };
  struct Results {
    std::vector<T> states, grad_input, grad_h_0, gradients;
  };

  kernels::RecurrentShape shape;
  std::vector<Layer> layers;
  std::vector<T> input, h_0;             // (T, N, I); (L, N, H) or empty
  std::vector<T> grad_output, grad_h_n;  // (T, N, H); (L, N, H)

  PlainRnn(const kernels::RecurrentShape& s, bool with_h_0) : shape(s) {
    for (std::size_t l = 0; l < s.layers; ++l)
      layers.push_back({values(s.hidden * s.input_of(l)), values(s.hidden * s.hidden),
                        values(s.hidden), values(s.hidden)});
    input = values(s.steps * s.batch * s.input);
    if (with_h_0) h_0 = values(s.layers * s.batch * s.hidden);
    grad_output = values(s.steps * s.batch * s.hidden);
    grad_h_n = values(s.layers * s.batch * s.hidden);
  }

  /// Forward and backward; states are (L, T + 1, N, H), gradients [weight_ih, weight_hh, bias] of
  /// each layer in turn, each summed over this many blocks of the batch.
  Results run(std::size_t blocks) const {
    const auto& [N, steps, I, H, L, bias, f, bf16] = shape;
    const std::size_t plane = N * H;
    const bool relu = f == Nonlinearity::relu;
    Results r;
    r.states.resize(L * (steps + 1) * plane);
    const auto state = [&, hidden = H, all = steps](std::size_t l, std::size_t slot,
                                                    std::size_t n) {
      return &r.states[(l * (all + 1) + slot) * plane + n * hidden];
    };
    const auto below = [&](std::size_t l, std::size_t t, std::size_t n) -> const T* {
      return l == 0 ? &input[(t * shape.batch + n) * shape.input] : state(l - 1, t + 1, n);
    };
    for (std::size_t l = 0; l < L; ++l)
      for (std::size_t t = 0; t < steps; ++t)
        for (std::size_t n = 0; n < N; ++n) {
          if (t == 0 && !h_0.empty()) std::copy_n(&h_0[l * plane + n * H], H, state(l, 0, n));
          for (std::size_t j = 0; j < H; ++j) {
            const Layer& w = layers[l];
            const std::size_t inputs = shape.input_of(l);
            T sum = bias ? w.bias_ih[j] + w.bias_hh[j] : T{0};
            for (std::size_t i = 0; i < inputs; ++i)
              sum = std::fma(below(l, t, n)[i], w.weight_ih[j * inputs + i], sum);
            if (t > 0 || !h_0.empty())
              for (std::size_t k = 0; k < H; ++k)
                sum = std::fma(state(l, t, n)[k], w.weight_hh[j * H + k], sum);
            state(l, t + 1, n)[j] =
                finished(sum, relu ? kernels::Epilogue::relu : kernels::Epilogue::tanh, T{0});
          }
        }

    // dz of all layers, (T, N, H) each, from the last layer and step to the first.
    std::vector<std::vector<T>> dz(L, std::vector<T>(steps * plane));
    r.grad_h_0.resize(L * plane);
    for (std::size_t l = L; l-- > 0;)
      for (std::size_t n = 0; n < N; ++n) {
        for (std::size_t t = steps; t-- > 0;)
          for (std::size_t k = 0; k < H; ++k) {
            const std::size_t at = t * plane + n * H;
            T sum = l + 1 == L ? grad_output[at + k]
                               : back(&dz[l + 1][at], layers[l + 1].weight_ih, k, H, T{0});
            if (t + 1 == steps)
              sum += grad_h_n[l * plane + n * H + k];
            else
              sum = back(&dz[l][at + plane], layers[l].weight_hh, k, H, sum);
            dz[l][at + k] = finished(
                sum, relu ? kernels::Epilogue::relu_derivative : kernels::Epilogue::tanh_derivative,
                state(l, t + 1, n)[k]);
          }
        for (std::size_t k = 0; k < H; ++k)
          r.grad_h_0[l * plane + n * H + k] = back(&dz[l][n * H], layers[l].weight_hh, k, H, T{0});
      }
    r.grad_input.resize(input.size());
    for (std::size_t row = 0; row < steps * N; ++row)
      for (std::size_t i = 0; i < I; ++i)
        r.grad_input[row * I + i] = back(&dz[0][row * H], layers[0].weight_ih, i, I, T{0});

    for (std::size_t l = 0; l < L; ++l) {
      const std::size_t inputs = shape.input_of(l);
      const auto add = [&](std::size_t columns, std::size_t first, auto&& factor) {
        for (std::size_t j = 0; j < (columns ? shape.hidden : 1); ++j)
          for (std::size_t c = 0; c < (columns ? columns : shape.hidden); ++c) {
            std::vector<T> sums;  // one of each block
            for (std::size_t s = 0; s < blocks; ++s) {
              T sum = 0;
              for (std::size_t t = shape.steps; t-- > first;)
                for (std::size_t n = s * shape.batch / blocks; n < (s + 1) * shape.batch / blocks;
                     ++n)
                  sum = std::fma(dz[l][t * plane + n * shape.hidden + (columns ? j : c)],
                                 factor(t, n, c), sum);
              sums.push_back(sum);
            }
            for (std::size_t distance = 1; distance < blocks; distance *= 2)
              for (std::size_t s = 0; s < blocks; s += 2 * distance) sums[s] += sums[s + distance];
            r.gradients.push_back(sums[0]);
          }
      };
      add(inputs, 0,
          [&](std::size_t t, std::size_t n, std::size_t i) { return below(l, t, n)[i]; });
      add(H, h_0.empty() ? 1 : 0,
          [&](std::size_t t, std::size_t n, std::size_t k) { return state(l, t, n)[k]; });
      if (bias) add(0, 0, [](std::size_t, std::size_t, std::size_t) { return T{1}; });
    }
    return r;
  }

 private:
  /// sum + (row of dz) (column of a weight of (H, columns)), over the hidden units.
  T back(const T* row, const std::vector<T>& weight, std::size_t column, std::size_t columns,
         T sum) const {
    for (std::size_t j = 0; j < shape.hidden; ++j)
      sum = std::fma(row[j], weight[j * columns + column], sum);
    return sum;
  }

  std::vector<T> values(std::size_t count) { return random_values<T>(count, ++seed_); }

  std::uint64_t seed_ = 0;
};

}  // namespace unroll::test
