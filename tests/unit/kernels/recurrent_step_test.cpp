// Steps of a stream must have the bits of whole sequences.
#include <gtest/gtest.h>

#include "support/all_cells.h"
#include "support/recurrent_pass.h"

namespace unroll::kernels {
namespace {

using test::bits_of;
using test::pointer;
using test::RecurrentCase;
using test::RecurrentNumbers;

class RecurrentDriverStep : public test::RecurrentTest {};

/// Rows of what forward left at a step.
template <class T>
auto bits_at(const std::vector<T>& all, std::size_t t, std::size_t size) {
  return bits_of(std::span<const T>(all).subspan(t * size, size));
}

template <class T>
void expect_stream(const RecurrentCase& layer, const std::string& name) {
  const RecurrentNumbers<T> numbers(layer);
  const RecurrentShape s = numbers.shape();
  const auto states = test::RecurrentPass<T>(numbers).forward();
  const auto packed = test::packed(numbers);
  const std::size_t h_size = s.batch * s.output(), c_size = s.batch * s.hidden;
  const bool memory = traits_of(s.cell).memory;
  std::vector<T> h(h_size, T(NAN)), next_h(h), c(c_size, T(NAN)), next_c(c),
      scratch(RecurrentPlan(s).saved_size(s, 1), T(NAN));
  RecurrentStep<T> call;
  call.shape = s;
  call.packed = packed.data();
  call.scratch = scratch.data();
  call.zone_h_rate = numbers.kZoneH;
  call.zone_c_rate = numbers.kZoneC;
  call.input_row = static_cast<std::ptrdiff_t>(s.input);
  call.h = pointer(numbers.values, "h_0");
  call.c = pointer(numbers.values, "c_0");
  for (std::size_t t = 0; t < s.steps; ++t) {
    call.input = pointer(numbers.values, "input") + t * s.batch * s.input;
    call.next_h = next_h.data();
    // In place from the second step on, where that is allowed.
    const bool in_place = memory && !s.zoneout && t > 0;
    if (memory) call.next_c = in_place ? c.data() : next_c.data();
    step(call);
    h.swap(next_h);
    if (!in_place) c.swap(next_c);
    call.h = h.data();
    if (memory) call.c = c.data();
    ASSERT_EQ(bits_of(h), bits_at(states.at("output"), t, h_size)) << name << ", step " << t;
  }
  if (memory) {
    EXPECT_EQ(bits_of(c), bits_of(states.at("c_n"))) << name;
  }
}

RecurrentCase layer_of(Cell cell, std::size_t batch, std::size_t hidden) {
  RecurrentCase layer;
  layer.shape.cell = cell;
  layer.shape.batch = batch;
  layer.shape.steps = 5;
  layer.shape.input = 3;
  layer.shape.hidden = hidden;
  return layer;
}

void expect_streams(const RecurrentCase& layer, const std::string& name) {
  RecurrentCase from_zeros = layer;
  from_zeros.first_states = false;
  for (const RecurrentCase& each : {layer, from_zeros}) {
    expect_stream<float>(each, name + " f32");
    expect_stream<double>(each, name + " f64");
  }
}

TEST_F(RecurrentDriverStep, BitsAreThoseOfForward) {
  for (const Cell cell : test::all_cells)
    for (const std::size_t batch : {1, 2, 5})
      for (const std::size_t hidden : {1, 7, 16, 37}) {
        RecurrentCase layer = layer_of(cell, batch, hidden);
        const std::string name = "cell " + std::to_string(static_cast<int>(cell)) + ", " +
                                 std::to_string(batch) + " x " + std::to_string(hidden);
        expect_streams(layer, name);
        layer.shape.bias = false;
        expect_streams(layer, name + ", no bias");
      }
}

TEST_F(RecurrentDriverStep, RegularisedOnesToo) {
  for (const Cell cell : test::all_cells) {
    const std::string name = "cell " + std::to_string(static_cast<int>(cell));
    RecurrentCase layer = layer_of(cell, 3, 19);
    layer.shape.layer_norm = true;
    expect_streams(layer, name + ", layer norm");
    layer.shape.zoneout = true;
    expect_streams(layer, name + ", layer norm and zoneout");
    layer.shape.layer_norm = false;
    expect_streams(layer, name + ", zoneout");
  }
  RecurrentCase layer = layer_of(Cell::lstm, 3, 19);
  layer.shape.projection = 6;
  expect_streams(layer, "projection");
  layer.shape.zoneout = layer.shape.layer_norm = true;
  expect_streams(layer, "projection, layer norm and zoneout");
}

}  // namespace
}  // namespace unroll::kernels
