// Stacked layers on raw memory. That they compute what PyTorch computes is the golden tests'
// matter, through nn and infer; here it is what hosts of the stack may do.
#include "kernels/stack.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <ostream>
#include <string>
#include <utility>

#include "kernels/stack_episodes.h"
#include "support/all_cells.h"
#include "support/recurrent_pass.h"

namespace unroll::kernels {
namespace {

using test::expect_same_bits;
using test::Named;
using test::random_values;

struct StackCase {
  std::size_t batch, steps, layers, directions;
  std::vector<std::size_t> lengths{};
  std::size_t projection = 0;
  bool factors = false;  // of every layer's input
  std::size_t input = 5, hidden = 7;
};

void PrintTo(const StackCase& c, std::ostream* out) {
  *out << "N" << c.batch << "_T" << c.steps << "_L" << c.layers << "_D" << c.directions
       << (c.lengths.empty() ? "" : "_ragged") << (c.projection ? "_projected" : "")
       << (c.factors ? "_factors" : "") << "_H" << c.hidden;
}

/// How sequences of unequal lengths lie in memory.
enum class Rows { padded, without_gaps };

/// A stack with random weights, and what goes through it.
template <class T>
class StackRun {
 public:
  StackRun(Cell cell, const StackCase& of) : case_(of) {
    shape_.layers = of.layers;
    shape_.directions = of.directions;
    RecurrentShape& first = shape_.first;
    first.cell = cell;
    first.batch = of.batch;
    first.steps = of.steps;
    first.input = of.input;
    first.hidden = of.hidden;
    first.projection = cell == Cell::lstm ? of.projection : 0;
    first.lengths = of.lengths.empty() ? nullptr : case_.lengths.data();
    std::uint64_t seed = 0;
    for (std::size_t index = 0; index < shape_.count(); ++index) {
      const RecurrentShape shape = shape_.of(index / of.directions, index % of.directions);
      PerRole<std::vector<T>>& layer = weights_.emplace_back();
      using enum WeightRole;
      for (const WeightRole role : {weight_ih, weight_hh, bias_ih, bias_hh, weight_hr})
        if (role != weight_hr || shape.projection)
          layer[role] = random_values<T>(weight_size(shape, role), ++seed);
      for (T& w : layer[weight_hh]) w *= T(0.3);
    }
    first_row_.push_back(0);
    for (std::size_t t = 0; t < of.steps; ++t)
      first_row_.push_back(first_row_.back() + rows_with(t));
    const std::size_t output = first.output(), states = shape_.count() * of.batch;
    input_ = random_values<T>(of.steps * of.batch * of.input, ++seed);
    grad_output_ = random_values<T>(of.steps * of.batch * shape_.width(), ++seed);
    h_0_ = random_values<T>(states * output, ++seed);
    c_0_ = random_values<T>(states * of.hidden, ++seed);
    grad_h_n_ = random_values<T>(states * output, ++seed);
    grad_c_n_ = random_values<T>(states * of.hidden, ++seed);
    for (std::size_t l = 0; of.factors && l < of.layers; ++l)
      factors_.push_back(random_values<T>(of.steps * of.batch * shape_.input(l), ++seed));
  }

  /// Forward and backward: "output", "h_n", "c_n" and the gradients of everything, as if sequences
  /// were padded with zeros.
  Named<T> run(Rows rows = Rows::padded, const Episodes* episodes = nullptr) {
    Named<T> results;
    const std::vector<T> input = laid(input_, case_.input, rows);
    std::vector<T> output = blank(shape_.width(), rows), grad_input = blank(case_.input, rows);
    StackCall<T> call = call_of(input, rows, results);
    call.output = sequence(output.data(), shape_.width(), rows);
    const PackedStack<T> packed(shape_, weight_data());
    call.packed = &packed;
    constexpr Keep keep = Keep::for_backward;
    std::vector<T> memory(episodes ? stack_memory(call, *episodes, keep) : stack_memory(call, keep),
                          T(NAN));
    call.memory = memory.data();
    if (episodes)
      forward(call, *episodes, keep);
    else
      forward(call, keep);
    results["output"] = padded(output, shape_.width(), rows);

    // The gradients may come from copies of what forward read.
    const std::vector<T> moved_input = input, moved_output = output;
    call.input.data = moved_input.data();
    StackGradients<T> gradients;
    const std::vector<RecurrentWeights<T>> weights = weight_data();
    gradients.weights = weights;
    const std::vector<T> grad_output = laid(grad_output_, shape_.width(), rows);
    gradients.output = sequence(grad_output.data(), shape_.width(), rows);
    gradients.output.data += gradients.output.offset(grad_first_);
    gradients.grad_first = grad_first_;
    gradients.grad_count = std::min(grad_count_, case_.steps);
    std::vector<const T*> grad_h_n, grad_c_n;
    for (std::size_t index = 0; index < shape_.count(); ++index) {
      grad_h_n.push_back(&grad_h_n_[index * case_.batch * shape_.first.output()]);
      grad_c_n.push_back(&grad_c_n_[index * case_.batch * case_.hidden]);
    }
    gradients.h_n = grad_h_n;
    if (has_memory()) gradients.c_n = grad_c_n;
    gradients.input = sequence(grad_input.data(), case_.input, rows);
    gradients.h_0 = sized(results["of h_0"], h_0_.size());
    if (has_memory()) gradients.c_0 = sized(results["of c_0"], c_0_.size());
    std::vector<PerRole<T*>> of_weights;
    for (std::size_t index = 0; index < shape_.count(); ++index)
      for (PerRole<T*>& places = of_weights.emplace_back();
           const WeightRole role : all_weight_roles)
        if (const std::size_t size = weights_[index][role].size())
          places[role] = sized(results["of weight " + std::to_string(static_cast<int>(role)) +
                                       " of " + std::to_string(index)],
                               size);
    gradients.of_weights = of_weights;
    std::vector<T> scratch(
        episodes ? stack_backward_scratch(call, *episodes) : stack_backward_scratch(call), T(NAN));
    gradients.scratch = scratch.data();
    if (episodes)
      backward(call, *episodes, gradients);
    else
      backward(call, gradients);
    results["of input"] = padded(grad_input, case_.input, rows);
    return results;
  }

  /// Forward that keeps nothing: "h_n", "c_n", and "output" if it is wanted.
  Named<T> forward_only(bool output_wanted, bool states_in_place) {
    Named<T> results;
    std::vector<T> output = blank(shape_.width(), Rows::padded);
    StackCall<T> call = call_of(input_, Rows::padded, results);
    if (output_wanted) call.output = sequence(output.data(), shape_.width(), Rows::padded);
    if (states_in_place) {
      results["h_n"] = h_0_;
      call.h_0 = call.h_n = results["h_n"].data();
      if (has_memory()) {
        results["c_n"] = c_0_;
        call.c_0 = call.c_n = results["c_n"].data();
      }
    }
    const PackedStack<T> packed(shape_, weight_data());
    call.packed = &packed;
    std::vector<T> memory(stack_memory(call, Keep::nothing), T(NAN));
    call.memory = memory.data();
    forward(call, Keep::nothing);
    if (output_wanted) results["output"] = output;
    return results;
  }

  /// The steps [first, end) of sequence n alone: from its initial state if they are its first ones
  /// and not `reset`, else from zeros. Only the last steps have gradients of final states.
  StackRun part(std::size_t n, std::size_t first, std::size_t end, bool reset) const {
    StackRun part(*this);
    part.case_.batch = part.shape_.first.batch = 1;
    part.case_.steps = part.shape_.first.steps = end - first;
    const auto take = [&](const std::vector<T>& from, std::size_t features, std::size_t begin,
                          std::size_t rows, bool zeros) {
      std::vector<T> to;
      for (std::size_t r = begin; r < begin + rows; ++r)
        for (std::size_t j = 0; j < features; ++j)
          to.push_back(zeros ? T{0} : from[(r * case_.batch + n) * features + j]);
      return to;
    };
    const std::size_t output = shape_.first.output(), layers = shape_.count();
    const bool from_zeros = reset || first > 0, goes_on = end < case_.steps;
    part.input_ = take(input_, case_.input, first, end - first, false);
    part.grad_output_ = take(grad_output_, shape_.width(), first, end - first, false);
    part.h_0_ = take(h_0_, output, 0, layers, from_zeros);
    part.c_0_ = take(c_0_, case_.hidden, 0, layers, from_zeros);
    part.grad_h_n_ = take(grad_h_n_, output, 0, layers, goes_on);
    part.grad_c_n_ = take(grad_c_n_, case_.hidden, 0, layers, goes_on);
    return part;
  }

  /// From now on only these steps of the output have a gradient: the others are not given, or
  /// zeros.
  void limit_gradient(std::size_t first, std::size_t count, bool as_zeros) {
    if (!as_zeros) {
      grad_first_ = first;
      grad_count_ = count;
      return;
    }
    const std::size_t step = case_.batch * shape_.width();
    std::fill_n(grad_output_.begin(), first * step, T{0});
    std::fill(grad_output_.begin() + static_cast<std::ptrdiff_t>((first + count) * step),
              grad_output_.end(), T{0});
  }

  std::size_t memory(Keep keep, bool output_wanted) {
    Named<T> results;
    std::vector<T> output(1);
    StackCall<T> call = call_of(input_, Rows::padded, results);
    if (output_wanted) call.output = sequence(output.data(), shape_.width(), Rows::padded);
    return stack_memory(call, keep);
  }

 private:
  bool has_memory() const { return shape_.first.traits().memory; }
  std::size_t length(std::size_t n) const {
    return case_.lengths.empty() ? case_.steps : case_.lengths[n];
  }
  std::size_t rows_with(std::size_t t) const {
    std::size_t rows = 0;
    while (rows < case_.batch && length(rows) > t) ++rows;
    return rows;
  }

  std::vector<RecurrentWeights<T>> weight_data() const {
    std::vector<RecurrentWeights<T>> all;
    for (const auto& layer : weights_) {
      RecurrentWeights<T>& data = all.emplace_back();
      for (const WeightRole role : all_weight_roles)
        data[role] = layer[role].empty() ? nullptr : layer[role].data();
    }
    return all;
  }

  static T* sized(std::vector<T>& numbers, std::size_t size) {
    numbers.assign(size, T(NAN));
    return numbers.data();
  }

  StackCall<T> call_of(const std::vector<T>& input, Rows rows, Named<T>& results) {
    StackCall<T> call;
    call.shape = shape_;
    call.input = sequence(input.data(), case_.input, rows);
    call.h_0 = h_0_.data();
    call.h_n = sized(results["h_n"], h_0_.size());
    if (has_memory()) {
      call.c_0 = c_0_.data();
      call.c_n = sized(results["c_n"], c_0_.size());
    }
    layer_factors_.assign(case_.factors ? shape_.count() : 0, {});
    for (std::size_t l = 0; l < factors_.size(); ++l)
      layer_factors_[l * shape_.directions].input =
          sequence<const T>(factors_[l].data(), shape_.input(l), Rows::padded);
    call.factors = layer_factors_;
    return call;
  }

  template <class U>
  Sequence<U> sequence(U* data, std::size_t features, Rows rows) const {
    const auto row = static_cast<std::ptrdiff_t>(features);
    return {data, row * static_cast<std::ptrdiff_t>(case_.batch), row,
            rows == Rows::padded ? nullptr : first_row_.data()};
  }
  std::vector<T> blank(std::size_t features, Rows rows) const {
    const std::size_t count = rows == Rows::padded ? case_.steps * case_.batch : first_row_.back();
    return std::vector<T>(count * features, T(NAN));
  }
  /// (T, N, features) as `rows` says; what lies past an end is NaN.
  std::vector<T> laid(const std::vector<T>& from, std::size_t features, Rows rows) const {
    std::vector<T> to = blank(features, rows);
    for (std::size_t t = 0; t < case_.steps; ++t)
      std::copy_n(&from[t * case_.batch * features], rows_with(t) * features,
                  sequence(to.data(), features, rows).at(t, 0));
    return to;
  }
  std::vector<T> padded(const std::vector<T>& from, std::size_t features, Rows rows) const {
    if (rows == Rows::padded) return from;
    std::vector<T> to(case_.steps * case_.batch * features);
    for (std::size_t t = 0; t < case_.steps; ++t)
      std::copy_n(sequence(from.data(), features, rows).at(t, 0), rows_with(t) * features,
                  &to[t * case_.batch * features]);
    return to;
  }

  StackCase case_;
  StackShape shape_;
  std::vector<PerRole<std::vector<T>>> weights_;
  std::vector<std::size_t> first_row_;
  std::vector<T> input_, grad_output_, h_0_, c_0_, grad_h_n_, grad_c_n_;
  std::vector<std::vector<T>> factors_;
  std::vector<LayerFactors<T>> layer_factors_;
  std::size_t grad_first_ = 0, grad_count_ = std::size_t(-1);
};

const std::vector<StackCase> stack_cases = {
    {3, 4, 1, 1},
    {3, 4, 3, 2, {}, 2},
    {5, 6, 2, 2, {6, 6, 3, 3, 1}},
    {5, 6, 3, 1, {6, 5, 5, 5, 2}, 3, true},
    {40, 9, 2, 1, {}, 0, true},
    {40, 9, 1, 2,
     [] {
       std::vector<std::size_t> lengths(40, 9);
       for (std::size_t n = 8; n < 40; ++n) lengths[n] = 9 - n / 5;
       return lengths;
     }()},
    {9, 3, 1, 2, {3, 3, 3, 2, 2, 2, 2, 1, 1}, 0, false, 40, 200},  // large weights
};

class Stack : public test::RecurrentTest {};

template <class T>
void expect_rows_without_gaps_change_nothing() {
  for (const Cell cell : test::all_cells)
    for (const StackCase& of : stack_cases) {
      StackRun<T> stack(cell, of);
      const Named<T> padded = stack.run(Rows::padded);
      for (const int threads : {1, 3}) {
        set_num_threads(threads);
        expect_same_bits(stack.run(Rows::without_gaps), padded,
                         test::name_of(cell) + " " + ::testing::PrintToString(of));
      }
    }
}

// As of PyTorch's PackedSequence.
TEST_F(Stack, SequencesWithoutGapsGiveTheSameBitsF32) {
  expect_rows_without_gaps_change_nothing<float>();
}
TEST_F(Stack, SequencesWithoutGapsGiveTheSameBitsF64) {
  expect_rows_without_gaps_change_nothing<double>();
}

TEST_F(Stack, KeepingNothingGivesTheSameBits) {
  for (const Cell cell : test::all_cells)
    for (const StackCase& of : stack_cases) {
      StackRun<float> stack(cell, of);
      const Named<float> all = stack.run();
      for (const int threads : {1, 3})
        for (const auto& [output, in_place] :
             {std::pair{true, false}, {true, true}, {false, false}, {false, true}}) {
          set_num_threads(threads);
          Named<float> expected;
          for (const auto& [name, numbers] : all)
            if (name == "h_n" || name == "c_n" || (output && name == "output"))
              expected[name] = numbers;
          expect_same_bits(stack.forward_only(output, in_place), expected,
                           test::name_of(cell) + " " + ::testing::PrintToString(of));
        }
    }
}

TEST_F(Stack, ForwardAloneNeedsNoMemoryForEachStep) {
  const auto memory = [](std::size_t steps, std::size_t layers, bool output) {
    return StackRun<float>(Cell::lstm, {4, steps, layers, 1}).memory(Keep::nothing, output);
  };
  EXPECT_EQ(memory(1000, 1, true), memory(10, 1, true));
  EXPECT_EQ(memory(1000, 1, false), memory(10, 1, false));
  // Of several layers, two outputs at most.
  EXPECT_EQ(memory(1000, 9, true), memory(1000, 3, true));
}

/// Puts the results of parts together: rows of `part`'s numbers (R, 1, features) become rows of the
/// whole (R', N, features), from row `first` on.
template <class T>
void put(std::vector<T>& whole, std::size_t features, std::size_t batch, std::size_t n,
         std::size_t first, const std::vector<T>& part) {
  for (std::size_t r = 0; r * features < part.size(); ++r)
    for (std::size_t j = 0; j < features; ++j)
      whole[((first + r) * batch + n) * features + j] = part[r * features + j];
}

// Every episode, computed alone, gives the same bits. The gradients of the weights are sums over
// episodes, so they are compared with a tolerance.
TEST_F(Stack, EpisodesAreSequencesOfTheirOwn) {
  const StackCase of{6, 9, 2, 1, {}, 3};
  // An episode begins at step 0, at the last step, at two steps in a row, and nowhere.
  std::vector<std::uint8_t> resets(of.steps * of.batch);
  for (const auto& [t, n] : {std::pair{0, 1}, {8, 1}, {4, 2}, {5, 2}, {3, 3}, {1, 5}, {7, 5}})
    resets[static_cast<std::size_t>(t) * of.batch + static_cast<std::size_t>(n)] = 1;
  const Episodes episodes(resets.data(), of.steps, of.batch);
  for (const Cell cell : test::all_cells) {
    StackRun<double> stack(cell, of);
    Named<double> expected = stack.run(), got = stack.run(Rows::padded, &episodes);
    const std::size_t output = cell == Cell::lstm ? 3 : of.hidden;
    std::map<std::string, std::size_t> features = {
        {"output", output}, {"of input", of.input}, {"h_n", output}, {"of h_0", output}};
    if (cell == Cell::lstm) features.insert({{"c_n", of.hidden}, {"of c_0", of.hidden}});
    for (auto& [name, numbers] : expected) std::ranges::fill(numbers, 0);
    for (std::size_t n = 0; n < of.batch; ++n)
      for (std::size_t first = 0, end; first < of.steps; first = end) {
        end = first + 1;
        while (end < of.steps && !resets[end * of.batch + n]) ++end;
        const bool reset = resets[first * of.batch + n] != 0;
        const Named<double> alone = stack.part(n, first, end, reset).run();
        for (const auto& [name, numbers] : alone)
          if (name.starts_with("of weight"))
            for (std::size_t i = 0; i < numbers.size(); ++i) expected[name][i] += numbers[i];
          else if (name == "output" || name == "of input")
            put(expected[name], features[name], of.batch, n, first, numbers);
          else if (name.starts_with("of ") ? first == 0 && !reset : end == of.steps)
            put(expected[name], features[name], of.batch, n, 0, numbers);
      }
    Named<double> rows, got_rows;
    for (const auto& [name, numbers] : expected)
      if (!name.starts_with("of weight")) {
        rows[name] = numbers;
        got_rows[name] = got[name];
      } else {
        for (std::size_t i = 0; i < numbers.size(); ++i)
          ASSERT_NEAR(got[name][i], numbers[i], 1e-12 * (1 + std::abs(numbers[i])))
              << test::name_of(cell) << " " << name;
      }
    expect_same_bits(got_rows, rows, test::name_of(cell));
  }
}

TEST_F(Stack, StepsWithoutAGradientAreAsZeros) {
  const StackCase of{5, 8, 2, 1};
  std::vector<std::uint8_t> resets(of.steps * of.batch);
  for (std::size_t i = 7; i < resets.size(); i += 9) resets[i] = 1;
  const Episodes episodes(resets.data(), of.steps, of.batch);
  for (const Episodes* const some : {static_cast<const Episodes*>(nullptr), &episodes})
    for (const std::size_t first : {0, 3, 7}) {
      StackRun<float> part(Cell::lstm, of), zeros(Cell::lstm, of);
      part.limit_gradient(first, 1, false);
      zeros.limit_gradient(first, 1, true);
      expect_same_bits(part.run(Rows::padded, some), zeros.run(Rows::padded, some),
                       std::to_string(first));
    }
}

TEST_F(Stack, EpisodesGiveTheSameBitsOnAnyNumberOfThreads) {
  const StackCase of{8, 30, 1, 1, {}, 0, false, 16, 48};
  std::vector<std::uint8_t> resets(of.steps * of.batch);
  for (std::size_t i = 0; i < resets.size(); i += 17) resets[i] = 1;
  const Episodes episodes(resets.data(), of.steps, of.batch);
  StackRun<float> stack(Cell::gru, of);
  set_num_threads(1);
  const Named<float> alone = stack.run(Rows::padded, &episodes);
  for (const int threads : {2, 5}) {
    set_num_threads(threads);
    expect_same_bits(stack.run(Rows::padded, &episodes), alone, std::to_string(threads));
  }
}

}  // namespace
}  // namespace unroll::kernels
