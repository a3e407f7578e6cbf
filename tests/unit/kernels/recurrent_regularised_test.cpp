// Regularised and projected layers: to the bit those of plain loops, whose gradients are those of
// finite differences.
#include <gtest/gtest.h>

#include <ostream>

#include "support/all_cells.h"
#include "support/plain_recurrent.h"
#include "support/recurrent_pass.h"

namespace unroll::kernels {
namespace {

using test::drive;
using test::expect_same_bits;
using test::plain_loops;
using test::RecurrentCase;
using test::RecurrentNumbers;

struct Regularised {
  const char* name;
  bool layer_norm = false, zoneout = false, zone_masks = false, state_dropout = false,
       candidate = false;
  std::size_t projection = 0;

  RecurrentCase layer(Cell cell, std::size_t batch, std::size_t steps, std::size_t hidden) const {
    RecurrentCase layer;
    layer.shape.cell = cell;
    layer.shape.batch = batch;
    layer.shape.steps = steps;
    layer.shape.input = 3;
    layer.shape.hidden = hidden;
    layer.shape.projection = projection;
    layer.shape.layer_norm = layer_norm;
    layer.shape.zoneout = zoneout;
    layer.shape.state_dropout = state_dropout;
    layer.zone_masks = zone_masks;
    layer.candidate = candidate;
    return layer;
  }
  /// The cells that take it: the projection and the candidate's dropout are not for plain ones.
  std::vector<Cell> cells() const {
    std::vector<Cell> those;
    for (const Cell cell : test::all_cells)
      if (projection ? cell == Cell::lstm : !candidate || kernels::traits_of(cell).gates > 1)
        those.push_back(cell);
    return those;
  }
};

void PrintTo(const Regularised& r, std::ostream* out) { *out << r.name; }

const Regularised all[] = {
    {"none"},
    {"layer_norm", true},
    {"zoneout_rates", false, true},
    {"zoneout_masks", false, true, true},
    {"state_dropout", false, false, false, true},
    {"candidate", false, false, false, false, true},
    {"projection", false, false, false, false, false, 2},
    {"projection_of_all_units", false, false, false, false, false, 4},
    {"all", true, true, true, true, false},
    {"all_with_candidate", true, true, true, true, true},
    {"all_with_projection", true, true, true, true, true, 2},
    {"zoneout_and_state_dropout", false, true, false, true},
    {"zoneout_and_projection", false, true, true, false, false, 2},
    {"state_dropout_and_projection", false, false, false, true, false, 2},
    {"layer_norm_and_projection", true, false, false, false, false, 2},
};

class RecurrentDriverRegularised : public test::RecurrentTest,
                                   public ::testing::WithParamInterface<Regularised> {
 protected:
  /// Calls f(layer, name) for each cell, direction, with lengths and without, with first states and
  /// without.
  template <class F>
  void for_layers(std::size_t batch, std::size_t steps, std::size_t hidden, F f) const {
    for (const Cell cell : GetParam().cells())
      for (const bool reverse : {false, true})
        for (const bool ragged : {false, true})
          for (const bool first_states : {false, true}) {
            RecurrentCase layer = GetParam().layer(cell, batch, steps, hidden);
            layer.shape.reverse = reverse;
            layer.shape.bias = ragged || first_states;
            layer.first_states = first_states;
            if (ragged)
              for (std::size_t n = 0; n < batch; ++n)
                layer.lengths.push_back(1 + (batch - 1 - n) * (steps - 1) / batch);
            f(layer, "cell " + std::to_string(static_cast<int>(cell)) +
                         (reverse ? ", reverse" : "") + (ragged ? ", ragged" : "") +
                         (first_states ? ", first states" : ""));
          }
  }
};

template <class T>
void expect_plain(const RecurrentCase& layer, const std::string& name) {
  const RecurrentNumbers<T> numbers(layer);
  const auto plain = plain_loops(numbers);
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    expect_same_bits(drive(numbers), plain, name + ", threads: " + std::to_string(threads));
  }
  auto last = plain.states;
  last.erase("output");
  expect_same_bits(test::RecurrentPass<T>(numbers).forward_only(), last, name + ", two slots");
}

TEST_P(RecurrentDriverRegularised, BitsAreThoseOfPlainLoopsOnAnyNumberOfThreads) {
  const auto expect_both = [](const RecurrentCase& layer, const std::string& name) {
    expect_plain<float>(layer, name + " f32");
    expect_plain<double>(layer, name + " f64");
  };
  for_layers(5, 4, 4, expect_both);
  for_layers(18, 9, 21, expect_both);
}

/// The sum of all states, each times its gradient.
double loss(const RecurrentNumbers<double>& numbers) {
  const auto states = test::RecurrentPass<double>(numbers).forward();
  double sum = 0;
  for (const auto& [name, state] : states)
    for (std::size_t i = 0; i < state.size(); ++i)
      if (const double grad = numbers.gradients.at(name)[i]; !std::isnan(grad))
        sum += grad * state[i];
  return sum;
}

TEST_P(RecurrentDriverRegularised, GradientsAreThoseOfFiniteDifferences) {
  constexpr double kStep = 4e-6;  // small, or it meets the corner of relu
  for_layers(3, 4, 4, [](const RecurrentCase& layer, const std::string& name) {
    RecurrentNumbers<double> numbers(layer);
    const auto gradients = drive(numbers).gradients;
    for (const auto& [of, gradient] : gradients)
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        double& x = numbers.values.at(of)[i];
        if (std::isnan(x)) {  // past the end of a sequence
          EXPECT_EQ(gradient[i], test::kUntouched);
          continue;
        }
        const double middle = x;
        const auto slope = [&](double step) {
          x = middle + step;
          const double above = loss(numbers);
          x = middle - step;
          return (above - loss(numbers)) / (2 * step);
        };
        // Without the term of the third derivative, which is large in normalised rows.
        const double difference = (4 * slope(kStep) - slope(2 * kStep)) / 3;
        x = middle;
        ASSERT_NEAR(gradient[i], difference, 1e-7 * std::max(1.0, std::abs(gradient[i])))
            << name << ": " << of << "[" << i << "]";
      }
  });
}

INSTANTIATE_TEST_SUITE_P(All, RecurrentDriverRegularised, ::testing::ValuesIn(all),
                         ::testing::PrintToStringParamName());

class RecurrentDriverRegularisedLarge : public test::RecurrentTest {};

// Gradients of large weights are summed in tiles, but not those of layer_norm.
TEST_F(RecurrentDriverRegularisedLarge, BitsAreThoseOfPlainLoops) {
  for (const std::size_t projection : {0, 70}) {
    Regularised every{"", true, true, true, true, true, projection};
    RecurrentCase layer = every.layer(Cell::lstm, 33, 9, projection ? 230 : 130);
    const RecurrentNumbers<float> numbers(layer);
    ASSERT_TRUE(numbers.shape().large());
    const auto plain = plain_loops(numbers);
    for (const int threads : {1, 3}) {
      set_num_threads(threads);
      expect_same_bits(drive(numbers), plain, "threads: " + std::to_string(threads));
    }
  }
}

}  // namespace
}  // namespace unroll::kernels
