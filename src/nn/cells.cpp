#include "unroll/nn/cells.h"

#include <fmt/format.h>

#include "kernels/cell.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using kernels::Cell;

template <class Options>
RecurrentOptions options_of(const Options& options) {
  return {.bias = options.bias, .dtype = options.dtype, .generator = options.generator};
}

Cell cell_of(const RnnCellOptions& options) {
  return options.nonlinearity == Nonlinearity::relu ? Cell::rnn_relu : Cell::rnn_tanh;
}

/// (N, J) to (1, N, J)
Tensor one_step(const Tensor& x) { return x.contiguous().view({1, x.size(0), x.size(1)}); }

}  // namespace

State Recurrent::step(const Tensor& input, const State& state) const {
  if (input.rank() != 2 || input.size(1) != sizes_.input || input.size(0) < 1)
    throw ShapeError(name(), fmt::format("input has shape {}, expected [batch, {}]",
                                         input.shape().str(), sizes_.input));
  const auto checked = [&](std::string_view which, const Tensor& x) {
    if (!x.defined()) return x;
    if (const Shape expected{input.size(0), sizes_.hidden}; x.shape() != expected)
      throw ShapeError(name(), fmt::format("{} has shape {}, expected {}", which, x.shape().str(),
                                           expected.str()));
    return one_step(x);
  };
  const auto [output, h_n, c_n] =
      run(one_step(input), checked("h", state.h), checked("c", state.c), {});
  return {output.select(0, 0), c_n.defined() ? c_n.select(0, 0) : c_n};
}

RnnCell::RnnCell(std::int64_t input_size, std::int64_t hidden_size, const Options& options)
    : Recurrent(cell_of(options), {input_size, hidden_size, 0, true}, options_of(options)) {}

RnnCell::RnnCell(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
                 const Options& options)
    : Recurrent(place, cell_of(options), {input_size, hidden_size, 0, true}, options_of(options)) {}

Tensor RnnCell::operator()(const Tensor& input, const Tensor& h) const {
  return step(input, {.h = h}).h;
}

LstmCell::LstmCell(std::int64_t input_size, std::int64_t hidden_size, const Options& options)
    : Recurrent(Cell::lstm, {input_size, hidden_size, 0, true}, options_of(options)) {}

LstmCell::LstmCell(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
                   const Options& options)
    : Recurrent(place, Cell::lstm, {input_size, hidden_size, 0, true}, options_of(options)) {}

State LstmCell::operator()(const Tensor& input, const State& state) const {
  return step(input, state);
}

GruCell::GruCell(std::int64_t input_size, std::int64_t hidden_size, const Options& options)
    : Recurrent(Cell::gru, {input_size, hidden_size, 0, true}, options_of(options)) {}

GruCell::GruCell(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
                 const Options& options)
    : Recurrent(place, Cell::gru, {input_size, hidden_size, 0, true}, options_of(options)) {}

Tensor GruCell::operator()(const Tensor& input, const Tensor& h) const {
  return step(input, {.h = h}).h;
}

}  // namespace unroll::nn
