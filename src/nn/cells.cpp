#include "unroll/nn/cells.h"

#include <fmt/format.h>

#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using spec::Cell;

template <class Options>
RecurrentOptions options_of(const Options& options) {
  return {.bias = options.bias, .dtype = options.dtype, .generator = options.generator};
}

/// (N, J) to (1, N, J)
Tensor one_step(const Tensor& x) { return x.contiguous().view({1, x.size(0), x.size(1)}); }

}  // namespace

State Recurrent::step(const Tensor& input, const State& state) const {
  if (input.rank() != 2 || input.size(1) != kind_.input || input.size(0) < 1)
    throw ShapeError(name(), fmt::format("input has shape {}, expected [batch, {}]",
                                         input.shape().str(), kind_.input));
  const auto checked = [&](std::string_view which, const Tensor& x) {
    if (!x.defined()) return x;
    if (const Shape expected{input.size(0), kind_.hidden}; x.shape() != expected)
      throw ShapeError(name(), fmt::format("{} has shape {}, expected {}", which, x.shape().str(),
                                           expected.str()));
    return one_step(x);
  };
  const auto [output, h_n, c_n] =
      run(one_step(input), checked("h", state.h), checked("c", state.c), {});
  return {output.select(0, 0), c_n.defined() ? c_n.select(0, 0) : c_n};
}

RnnCell::RnnCell(std::int64_t input_size, std::int64_t hidden_size, const Options& options)
    : Recurrent({.input = input_size,
                 .hidden = hidden_size,
                 .cell = Cell::rnn,
                 .nonlinearity = options.nonlinearity,
                 .single_step = true},
                options_of(options)) {}

RnnCell::RnnCell(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
                 const Options& options)
    : Recurrent(place,
                {.input = input_size,
                 .hidden = hidden_size,
                 .cell = Cell::rnn,
                 .nonlinearity = options.nonlinearity,
                 .single_step = true},
                options_of(options)) {}

Tensor RnnCell::operator()(const Tensor& input, const Tensor& h) const {
  return step(input, {.h = h}).h;
}

LstmCell::LstmCell(std::int64_t input_size, std::int64_t hidden_size, const Options& options)
    : Recurrent(
          {.input = input_size, .hidden = hidden_size, .cell = Cell::lstm, .single_step = true},
          options_of(options)) {}

LstmCell::LstmCell(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
                   const Options& options)
    : Recurrent(
          place,
          {.input = input_size, .hidden = hidden_size, .cell = Cell::lstm, .single_step = true},
          options_of(options)) {}

State LstmCell::operator()(const Tensor& input, const State& state) const {
  return step(input, state);
}

GruCell::GruCell(std::int64_t input_size, std::int64_t hidden_size, const Options& options)
    : Recurrent(
          {.input = input_size, .hidden = hidden_size, .cell = Cell::gru, .single_step = true},
          options_of(options)) {}

GruCell::GruCell(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
                 const Options& options)
    : Recurrent(
          place,
          {.input = input_size, .hidden = hidden_size, .cell = Cell::gru, .single_step = true},
          options_of(options)) {}

Tensor GruCell::operator()(const Tensor& input, const Tensor& h) const {
  return step(input, {.h = h}).h;
}

}  // namespace unroll::nn
