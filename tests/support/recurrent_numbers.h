// Numbers for one pass through a recurrent layer, by name.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "kernels/recurrent.h"
#include "support/kernel_test.h"

namespace unroll::test {

template <class T>
using Named = std::map<std::string, std::vector<T>>;

/// The elements of a name; null where there is none.
template <class T>
const T* pointer(const Named<T>& numbers, const std::string& name) {
  const auto found = numbers.find(name);
  return found == numbers.end() ? nullptr : found->second.data();
}

/// A layer and what goes through it. All sequences are (T, N, features) without gaps; what lies
/// past the end of a sequence is NaN, because nobody should read it.
struct RecurrentCase {
  kernels::RecurrentShape shape;
  bool first_states = true;            // h_0 and c_0 are given
  std::vector<std::size_t> lengths{};  // empty: all are T
  bool candidate = false;              // factors of the candidate
  bool zone_masks = false;             // of zoneout; else the rates below
};

template <class T>
struct RecurrentNumbers {
  static constexpr T kZoneH = T(0.125), kZoneC = T(0.3);

  RecurrentCase layer;
  Named<T> values;     // "weight_ih", ... as PyTorch names them; "input", "h_0", "c_0"
  Named<T> masks;      // "state" (N, O), "candidate", "zone_h", "zone_c"
  Named<T> gradients;  // of "output" (grad_count, N, O), "h_n" and "c_n"
  std::size_t grad_first = 0, grad_count;

  explicit RecurrentNumbers(const RecurrentCase& of) : layer(of), grad_count(of.shape.steps) {
    const kernels::RecurrentShape& s = layer.shape;
    const std::size_t gates = s.gates() * s.hidden, output = s.output();
    const bool memory = kernels::traits_of(s.cell).memory;
    // So that sums stay near 1 whatever they have of terms.
    values["weight_ih"] = random(gates * s.input, 1.5 / std::sqrt(s.input));
    values["weight_hh"] = random(gates * output, 1.5 / std::sqrt(output));
    if (s.bias)
      for (const char* name : {"bias_ih", "bias_hh"}) values[name] = random(gates);
    if (s.projection)
      values["weight_hr"] = random(s.projection * s.hidden, 1.5 / std::sqrt(s.hidden));
    if (s.layer_norm) {
      for (const char* part : {"norm_ih", "norm_hh", "norm_c"}) {
        const bool of_c = part == std::string("norm_c");
        if (of_c && !memory) continue;
        values[part + std::string("_weight")] = random(of_c ? s.hidden : gates);
        values[part + std::string("_bias")] = random(of_c ? s.hidden : gates);
      }
    }
    values["input"] = sequence(s.input);
    if (layer.first_states) {
      values["h_0"] = random(s.batch * output);
      if (memory) values["c_0"] = random(s.batch * s.hidden);
    }
    if (s.state_dropout) masks["state"] = factors(random(s.batch * output));
    if (layer.candidate) masks["candidate"] = factors(sequence(s.hidden));
    if (s.zoneout && layer.zone_masks) {
      masks["zone_h"] = zeros_and_ones(sequence(output));
      if (memory) masks["zone_c"] = zeros_and_ones(sequence(s.hidden));
    }
    gradients["output"] = sequence(output);
    gradients["h_n"] = random(s.batch * output);
    if (memory) gradients["c_n"] = random(s.batch * s.hidden);
  }

  /// The layer's shape, with its lengths.
  kernels::RecurrentShape shape() const {
    kernels::RecurrentShape s = layer.shape;
    s.lengths = layer.lengths.empty() ? nullptr : layer.lengths.data();
    return s;
  }
  std::size_t length(std::size_t n) const {
    return layer.lengths.empty() ? layer.shape.steps : layer.lengths[n];
  }

  kernels::RecurrentWeights<T> weights() const {
    // In the order of WeightRole.
    constexpr PerRole<const char*> names = {
        {"weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr", "norm_ih_weight",
         "norm_ih_bias", "norm_hh_weight", "norm_hh_bias", "norm_c_weight", "norm_c_bias"}};
    kernels::RecurrentWeights<T> w;
    for (const WeightRole role : all_weight_roles) w[role] = pointer(values, names[role]);
    return w;
  }

 private:
  std::vector<T> random(std::size_t count, double scale = 1) {
    std::vector<T> numbers = random_values<T>(count, ++seed_);
    for (T& x : numbers) x *= static_cast<T>(scale);
    return numbers;
  }
  /// (T, N, features)
  std::vector<T> sequence(std::size_t features) {
    const kernels::RecurrentShape& s = layer.shape;
    std::vector<T> numbers = random(s.steps * s.batch * features);
    for (std::size_t n = 0; n < s.batch; ++n)
      for (std::size_t t = length(n); t < s.steps; ++t)
        std::fill_n(&numbers[(t * s.batch + n) * features], features, T(NAN));
    return numbers;
  }
  /// What dropout of 1/4 leaves: 0 or 4/3.
  static std::vector<T> factors(std::vector<T> numbers) {
    for (T& x : numbers)
      if (!std::isnan(x)) x = x < T(-0.5) ? T{0} : T{4} / T{3};
    return numbers;
  }
  static std::vector<T> zeros_and_ones(std::vector<T> numbers) {
    for (T& x : numbers)
      if (!std::isnan(x)) x = x < T(0.4) ? T{0} : T{1};
    return numbers;
  }

  std::uint64_t seed_ = 0;
};

/// What the gradient of the input is past the end of a sequence: what it was before.
inline constexpr int kUntouched = 7;

/// What a pass leaves: "output" (T, N, O), "h_n", "c_n", and the gradients of the values.
template <class T>
struct RecurrentResults {
  Named<T> states, gradients;
};

template <class T>
void expect_same_bits(const Named<T>& got, const Named<T>& expected, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (const auto& [name, numbers] : expected) {
    ASSERT_TRUE(got.contains(name)) << what << ": " << name;
    const auto bits = bits_of(got.at(name)), expected_bits = bits_of(numbers);
    ASSERT_EQ(bits.size(), expected_bits.size()) << what << ": " << name;
    const auto at = std::mismatch(bits.begin(), bits.end(), expected_bits.begin()).first;
    if (at == bits.end()) continue;
    const auto i = static_cast<std::size_t>(at - bits.begin());
    ADD_FAILURE() << what << ": " << name << "[" << i << "] of " << bits.size() << " is "
                  << got.at(name)[i] << ", expected " << numbers[i];
  }
}

template <class T>
void expect_same_bits(const RecurrentResults<T>& got, const RecurrentResults<T>& expected,
                      const std::string& what) {
  expect_same_bits(got.states, expected.states, what);
  expect_same_bits(got.gradients, expected.gradients, what);
}

}  // namespace unroll::test
