// A recurrent layer as plain loops over single numbers, in the order that docs/numerics.md
// promises. It shares nothing with the driver but the names of things and the elementary functions.
#pragma once

#include <bit>
#include <utility>

#include "support/plain_cell.h"
#include "support/plain_norm.h"
#include "support/recurrent_numbers.h"

namespace unroll::test {

template <class T>
class PlainRecurrent {
 public:
  explicit PlainRecurrent(const RecurrentNumbers<T>& numbers)
      : in_(numbers),
        s_(numbers.shape()),
        traits_(kernels::traits_of(s_.cell)),
        gates_(traits_.gates * s_.hidden),
        joint_(traits_.joint * s_.hidden),
        steps_(s_.steps * s_.batch) {}

  /// Forward and backward; the gradients are those of the sum of the states times
  /// numbers.gradients.
  RecurrentResults<T> run() {
    Named<T>& states = results_.states;
    states["output"].resize(steps_.size() * s_.output());  // zeros past the end
    states["h_n"].resize(s_.batch * s_.output());
    if (traits_.memory) states["c_n"].resize(s_.batch * s_.hidden);
    Named<T>& gradients = results_.gradients;
    for (const auto& [name, numbers] : in_.values)
      gradients[name].resize(numbers.size(), name == "input" ? T{kUntouched} : T{0});
    for (std::size_t n = 0; n < s_.batch; ++n) {
      forward(n);
      backward(n);
    }
    sum_gradients();
    return std::move(results_);
  }

 private:
  struct Step {
    std::vector<T> state;  // what the product took of the step before; empty: nothing
    std::vector<PlainUnit<T>> units;
    std::vector<T> unprojected, h;
    PlainNorm<T> input_norm, state_norm, memory_norm;
    // Gradients: of the input's part of the sums and of the state's, of both before they were
    // normalised, of what was passed to tanh, of h.
    std::vector<T> dz_input, dz_state, dx, ds, dc_normed, dh;
  };

  Step& at(std::size_t t, std::size_t n) { return steps_[t * s_.batch + n]; }
  /// The index of the s-th step that is computed of the n-th sequence.
  std::size_t time(std::size_t s, std::size_t n) const {
    return s_.reverse ? in_.length(n) - 1 - s : s;
  }
  T value(const char* name, std::size_t i) const {
    const T* const numbers = pointer(in_.values, name);
    return numbers ? numbers[i] : T{0};
  }
  /// A row of some numbers, empty where there are none.
  static std::vector<T> row(const Named<T>& from, const char* name, std::size_t n,
                            std::size_t columns) {
    const T* const numbers = pointer(from, name);
    return numbers ? std::vector<T>(numbers + n * columns, numbers + (n + 1) * columns)
                   : std::vector<T>{};
  }
  T zone(const char* name, T rate, std::size_t t, std::size_t n, std::size_t j,
         std::size_t columns) const {
    const T* const mask = pointer(in_.masks, name);
    return mask ? mask[(t * s_.batch + n) * columns + j] : rate;
  }
  T zone_h(std::size_t t, std::size_t n, std::size_t j) const {
    return zone("zone_h", in_.kZoneH, t, n, j, s_.output());
  }
  T zone_c(std::size_t t, std::size_t n, std::size_t j) const {
    return zone("zone_c", in_.kZoneC, t, n, j, s_.hidden);
  }
  static T or_zero(const std::vector<T>& numbers, std::size_t i) {
    return numbers.empty() ? T{0} : numbers[i];
  }

  // Forward.

  void forward(std::size_t n) {
    std::vector<T> h = row(in_.values, "h_0", n, s_.output()),
                   c = row(in_.values, "c_0", n, s_.hidden);
    for (std::size_t s = 0; s < in_.length(n); ++s) {
      const std::size_t t = time(s, n);
      Step& now = at(t, n);
      now.state = h;
      if (s_.state_dropout)
        for (std::size_t k = 0; k < h.size(); ++k)
          now.state[k] *= in_.masks.at("state")[n * s_.output() + k];
      now.units.resize(s_.hidden);
      sum(now, t, n);
      for (std::size_t j = 0; j < s_.hidden; ++j) {
        PlainUnit<T>& unit = now.units[j];
        unit.c_before = or_zero(c, j);
        if (traits_.direct) unit.h_before = or_zero(h, j);
        if (in_.layer.candidate)
          unit.keep = in_.masks.at("candidate")[(t * s_.batch + n) * s_.hidden + j];
        plain_forward(s_.cell, unit);
      }
      if (s_.layer_norm && traits_.memory) normalise_memory(now);
      for (const auto& unit : now.units) now.unprojected.push_back(unit.h);
      std::vector<T> next_h = project(now), next_c;
      for (const auto& unit : now.units) next_c.push_back(unit.c);
      if (s_.zoneout) {
        for (std::size_t k = 0; k < s_.output(); ++k)
          next_h[k] = zoned(zone_h(t, n, k), or_zero(h, k), next_h[k]);
        for (std::size_t j = 0; traits_.memory && j < s_.hidden; ++j)
          next_c[j] = zoned(zone_c(t, n, j), or_zero(c, j), next_c[j]);
      }
      h = std::move(next_h);
      c = std::move(next_c);
      std::copy(h.begin(), h.end(), &results_.states["output"][(t * s_.batch + n) * s_.output()]);
    }
    std::copy(h.begin(), h.end(), &results_.states["h_n"][n * s_.output()]);
    if (traits_.memory) std::copy(c.begin(), c.end(), &results_.states["c_n"][n * s_.hidden]);
  }
  static T zoned(T zone, T before, T now) { return std::fma(zone, before, (1 - zone) * now); }

  /// The sums of all gates: bias, inputs ascending, state ascending.
  void sum(Step& now, std::size_t t, std::size_t n) const {
    std::vector<T> input_part, state_part;
    for (std::size_t j = 0; j < gates_; ++j) {
      const bool joint = j < joint_ && !s_.layer_norm;
      const T bias_ih = value("bias_ih", j), bias_hh = value("bias_hh", j);
      T x = s_.layer_norm ? T{0} : joint ? bias_ih + bias_hh : bias_ih;
      const T* const input = &in_.values.at("input")[(t * s_.batch + n) * s_.input];
      const T* const weight_ih = &in_.values.at("weight_ih")[j * s_.input];
      for (std::size_t i = 0; i < s_.input; ++i) x = std::fma(input[i], weight_ih[i], x);
      T h = s_.layer_norm ? T{0} : joint ? x : bias_hh;
      const T* const weight_hh = &in_.values.at("weight_hh")[j * s_.output()];
      for (std::size_t k = 0; k < now.state.size(); ++k)
        h = std::fma(now.state[k], weight_hh[k], h);
      input_part.push_back(x);
      state_part.push_back(h);
    }
    if (s_.layer_norm) {
      now.input_norm = PlainNorm<T>(input_part);
      now.state_norm = PlainNorm<T>(state_part);
    }
    for (std::size_t j = 0; j < gates_; ++j) {
      T x = input_part[j], h = state_part[j];
      if (s_.layer_norm) {
        x = std::fma(value("norm_ih_weight", j), now.input_norm.xhat[j],
                     value("norm_ih_bias", j) + value("bias_ih", j));
        h = std::fma(value("norm_hh_weight", j), now.state_norm.xhat[j],
                     value("norm_hh_bias", j) + value("bias_hh", j));
      }
      T* const z = now.units[j % s_.hidden].z;
      const std::size_t gate = j / s_.hidden;
      if (j >= joint_) {
        z[gate] = x;
        z[gate + traits_.gates - traits_.joint] = h;
      } else {
        z[gate] = s_.layer_norm ? x + h : h;
      }
    }
  }

  /// What is passed to the tanh of a normalised LSTM's output.
  T scaled(const Step& now, std::size_t j) const {
    return std::fma(value("norm_c_weight", j), now.memory_norm.xhat[j], value("norm_c_bias", j));
  }
  void normalise_memory(Step& now) const {
    std::vector<T> c;
    for (const auto& unit : now.units) c.push_back(unit.c);
    now.memory_norm = PlainNorm<T>(c);
    for (std::size_t j = 0; j < s_.hidden; ++j) plain_lstm_output(now.units[j], scaled(now, j));
  }

  std::vector<T> project(const Step& now) const {
    if (!s_.projection) return now.unprojected;
    std::vector<T> h(s_.projection);
    for (std::size_t p = 0; p < s_.projection; ++p)
      for (std::size_t j = 0; j < s_.hidden; ++j)
        h[p] = std::fma(now.unprojected[j], value("weight_hr", p * s_.hidden + j), h[p]);
    return h;
  }

  // Backward.

  /// The gradient of the output at a step; empty where there is none.
  std::vector<T> outside(std::size_t t, std::size_t n) const {
    if (t < in_.grad_first || t >= in_.grad_first + in_.grad_count) return {};
    return row(in_.gradients, "output", (t - in_.grad_first) * s_.batch + n, s_.output());
  }

  /// sum + W^T dz, for a column of a weight of (G H, columns).
  T back(const char* weight, const std::vector<T>& dz, std::size_t column, std::size_t columns,
         T sum) const {
    const T* const w = &in_.values.at(weight)[column];
    for (std::size_t j = 0; j < gates_; ++j) sum = std::fma(dz[j], w[j * columns], sum);
    return sum;
  }
  /// The gradient of the state before a step, from what goes past the products (empty: nothing).
  std::vector<T> carry(const Step& after, std::size_t n, const std::vector<T>& past) const {
    std::vector<T> dh(s_.output());
    for (std::size_t k = 0; k < s_.output(); ++k)
      if (s_.state_dropout) {
        const T factor = in_.masks.at("state")[n * s_.output() + k],
                product = back("weight_hh", after.dz_state, k, s_.output(), T{0});
        dh[k] = past.empty() ? product * factor : std::fma(product, factor, past[k]);
      } else {
        dh[k] = back("weight_hh", after.dz_state, k, s_.output(), or_zero(past, k));
      }
    return dh;
  }

  void backward(std::size_t n) {
    const Step* after = nullptr;
    std::vector<T> past, dc = row(in_.gradients, "c_n", n, s_.hidden);
    dc.resize(s_.hidden);
    for (std::size_t s = in_.length(n); s-- > 0;) {
      const std::size_t t = time(s, n);
      Step& now = at(t, n);
      const std::vector<T> from_outside = outside(t, n);
      std::vector<T> dh;
      if (after && s_.fused()) {
        dh = carry(*after, n, from_outside);
      } else {
        dh = after ? carry(*after, n, past) : row(in_.gradients, "h_n", n, s_.output());
        dh.resize(s_.output());
        for (std::size_t k = 0; k < from_outside.size(); ++k) dh[k] += from_outside[k];
      }
      std::vector<T> kept_h(s_.output()), kept_c(s_.hidden);
      if (s_.zoneout) {
        for (std::size_t k = 0; k < s_.output(); ++k)
          std::tie(kept_h[k], dh[k]) = split(zone_h(t, n, k), dh[k]);
        for (std::size_t j = 0; j < s_.hidden; ++j)
          std::tie(kept_c[j], dc[j]) = split(zone_c(t, n, j), dc[j]);
      }
      now.dh = dh;
      for (std::size_t j = 0; j < s_.hidden; ++j) {
        PlainUnit<T>& unit = now.units[j];
        unit.dh = s_.projection ? T{0} : dh[j];
        for (std::size_t p = 0; p < s_.projection; ++p)
          unit.dh = std::fma(dh[p], value("weight_hr", p * s_.hidden + j), unit.dh);
        unit.dc = dc[j];
      }
      through_cell(now);
      for (std::size_t j = 0; j < s_.hidden; ++j)
        dc[j] = s_.zoneout && traits_.memory ? now.units[j].dc + kept_c[j] : now.units[j].dc;
      past.clear();
      if (traits_.direct)
        for (std::size_t j = 0; j < s_.hidden; ++j)
          past.push_back(s_.zoneout ? now.units[j].dh + kept_h[j] : now.units[j].dh);
      else if (s_.zoneout)
        past = kept_h;
      T* const grad_input = &results_.gradients["input"][(t * s_.batch + n) * s_.input];
      for (std::size_t i = 0; i < s_.input; ++i)
        grad_input[i] = back("weight_ih", now.dz_input, i, s_.input, T{0});
      after = &now;
    }
    if (!in_.layer.first_states) return;
    const std::vector<T> dh = carry(*after, n, past);
    std::copy(dh.begin(), dh.end(), &results_.gradients["h_0"][n * s_.output()]);
    if (traits_.memory) std::copy(dc.begin(), dc.end(), &results_.gradients["c_0"][n * s_.hidden]);
  }
  static std::pair<T, T> split(T zone, T grad) { return {zone * grad, (1 - zone) * grad}; }

  /// From the gradients of h and c to those of both parts of the sums.
  void through_cell(Step& now) const {
    if (s_.layer_norm && traits_.memory)
      memory_backward(now);
    else
      for (auto& unit : now.units) plain_backward(s_.cell, unit);
    for (std::size_t j = 0; j < gates_; ++j) {
      const T* const z = now.units[j % s_.hidden].z;
      const std::size_t gate = j / s_.hidden;
      now.dz_input.push_back(z[gate]);
      now.dz_state.push_back(j < joint_ ? z[gate] : z[gate + traits_.gates - traits_.joint]);
    }
    if (!s_.layer_norm) return;
    now.dx = now.dz_input;
    now.ds = now.dz_state;
    now.dz_input = now.input_norm.backward(now.dx, in_.values.at("norm_ih_weight"));
    now.dz_state = now.state_norm.backward(now.ds, in_.values.at("norm_hh_weight"));
  }
  void memory_backward(Step& now) const {
    for (std::size_t j = 0; j < s_.hidden; ++j) {
      PlainUnit<T>& unit = now.units[j];
      const T y = scalar_tanh(scaled(now, j)), o = unit.z[3];
      now.dc_normed.push_back((unit.dh * o) * std::fma(-y, y, T{1}));
      unit.z[3] = (unit.dh * y) * (o * (1 - o));
    }
    std::vector<T> dc;
    for (const auto& unit : now.units) dc.push_back(unit.dc);
    dc = now.memory_norm.backward(now.dc_normed, in_.values.at("norm_c_weight"), dc);
    for (std::size_t j = 0; j < s_.hidden; ++j) {
      now.units[j].dc = dc[j];
      plain_lstm_memory_backward(now.units[j]);
    }
  }

  // The gradients of the weights.

  /// add(step, t, n, sums) of each step of each sequence: in each block of the batch the steps as
  /// they were computed, the last first, and within a step the sequences in order; the blocks' sums
  /// in a tree.
  template <class F>
  std::vector<T> summed(std::size_t size, std::size_t blocks, F add) {
    std::vector<std::vector<T>> sums(blocks, std::vector<T>(size));
    for (std::size_t b = 0; b < blocks; ++b)
      for (std::size_t s = s_.steps; s-- > 0;)
        for (std::size_t n = b * s_.batch / blocks; n < (b + 1) * s_.batch / blocks; ++n) {
          const std::size_t t = s_.reverse ? s_.steps - 1 - s : s;
          if (t < in_.length(n)) add(at(t, n), t * s_.batch + n, sums[b]);
        }
    for (std::size_t distance = 1; distance < blocks; distance *= 2)
      for (std::size_t b = 0; b < blocks; b += 2 * distance)
        for (std::size_t i = 0; i < size; ++i) sums[b][i] += sums[b + distance][i];
    return sums[0];
  }
  static void add_outer(const std::vector<T>& left, const T* right, std::size_t columns,
                        std::vector<T>& sums) {
    for (std::size_t j = 0; j < left.size(); ++j)
      for (std::size_t k = 0; k < columns; ++k)
        sums[j * columns + k] = std::fma(left[j], right[k], sums[j * columns + k]);
  }

  void sum_gradients() {
    Named<T>& to = results_.gradients;
    const std::size_t shards = std::bit_floor(std::clamp<std::size_t>(s_.batch / 16, 1, 64));
    const auto outer = [&](const char* name, std::size_t features, std::size_t columns, auto left,
                           auto right) {
      if (!to.contains(name)) return;
      to[name] = summed(features * columns, shards,
                        [&](Step& step, std::size_t row, std::vector<T>& sums) {
                          const T* const numbers = right(step, row);
                          if (numbers) add_outer(left(step), numbers, columns, sums);
                        });
    };
    const auto dz_input = [](const Step& step) { return step.dz_input; };
    const auto dz_state = [](const Step& step) { return step.dz_state; };
    outer("weight_ih", gates_, s_.input, dz_input,
          [&](const Step&, std::size_t row) { return &in_.values.at("input")[row * s_.input]; });
    outer("weight_hh", gates_, s_.output(), dz_state, [](const Step& step, std::size_t) {
      return step.state.empty() ? nullptr : step.state.data();
    });
    outer(
        "weight_hr", s_.projection, s_.hidden, [](const Step& step) { return step.dh; },
        [](const Step& step, std::size_t) { return step.unprojected.data(); });
    static constexpr T one = 1;
    const auto ones = [](const Step&, std::size_t) { return &one; };
    if (!s_.layer_norm) {
      outer("bias_ih", gates_, 1, dz_input, ones);
      outer("bias_hh", gates_, 1, dz_state, ones);
      return;
    }
    // The factors and offsets of a normalisation: each shard has sums of its own.
    const auto norm = [&](const std::string& name, const char* bias, auto gradient, auto norm_of,
                          std::size_t size) {
      to[name + "_weight"] =
          summed(size, shards, [&](Step& step, std::size_t, std::vector<T>& sums) {
            for (std::size_t j = 0; j < size; ++j)
              sums[j] = std::fma(gradient(step)[j], norm_of(step).xhat[j], sums[j]);
          });
      to[name + "_bias"] = summed(size, shards, [&](Step& step, std::size_t, std::vector<T>& sums) {
        for (std::size_t j = 0; j < size; ++j) sums[j] += gradient(step)[j];
      });
      if (to.contains(bias)) to[bias] = to[name + "_bias"];
    };
    norm(
        "norm_ih", "bias_ih", [](Step & step) -> auto& { return step.dx; },
        [](Step & step) -> auto& { return step.input_norm; }, gates_);
    norm(
        "norm_hh", "bias_hh", [](Step & step) -> auto& { return step.ds; },
        [](Step & step) -> auto& { return step.state_norm; }, gates_);
    if (traits_.memory)
      norm(
          "norm_c", "", [](Step & step) -> auto& { return step.dc_normed; },
          [](Step & step) -> auto& { return step.memory_norm; }, s_.hidden);
  }

  const RecurrentNumbers<T>& in_;
  const kernels::RecurrentShape s_;
  const CellTraits traits_;
  const std::size_t gates_, joint_;  // columns
  std::vector<Step> steps_;          // (T, N)
  RecurrentResults<T> results_;
};

/// The same bits as the driver's.
template <class T>
RecurrentResults<T> plain_loops(const RecurrentNumbers<T>& numbers) {
  return PlainRecurrent<T>(numbers).run();
}

}  // namespace unroll::test
