#include "unroll/nn/recurrent.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/float_environment.h"
#include "kernels/bf16.h"
#include "nn/lengths.h"
#include "nn/recurrent_masks.h"
#include "nn/recurrent_node.h"
#include "nn/rows.h"
#include "unroll/core/error.h"
#include "unroll/nn/init.h"

namespace unroll::nn {
namespace {

Generator& generator_of(const RecurrentOptions& options) {
  return options.generator ? *options.generator : default_generator();
}

LayerWeights weights_of(const Recurrent::Layer& layer) {
  return {&layer.weight_ih,    &layer.weight_hh,      &layer.bias_ih,      &layer.bias_hh,
          &layer.weight_hr,    &layer.norm_ih_weight, &layer.norm_ih_bias, &layer.norm_hh_weight,
          &layer.norm_hh_bias, &layer.norm_c_weight,  &layer.norm_c_bias};
}

/// The sequences from the longest to the shortest, equal ones as they come; undefined where they
/// already are in such an order.
Tensor order_of(std::span<const std::int64_t> lengths) {
  if (std::ranges::is_sorted(lengths, std::ranges::greater())) return {};
  const Tensor order = Tensor::empty({static_cast<std::int64_t>(lengths.size())}, DType::i64);
  const auto rows = order.values<std::int64_t>();
  std::iota(rows.begin(), rows.end(), 0);
  const auto length = [&](std::int64_t n) { return lengths[static_cast<std::size_t>(n)]; };
  std::ranges::sort(rows, [&](std::int64_t a, std::int64_t b) {
    return length(a) != length(b) ? length(a) > length(b) : a < b;
  });
  return order;
}

std::size_t unsigned_of(std::int64_t n) { return static_cast<std::size_t>(n); }

}  // namespace

Recurrent::Recurrent(kernels::Cell cell, const Sizes& sizes, const RecurrentOptions& options)
    : cell_(cell), sizes_(sizes), options_(options), masks_(generator_of(options)) {
  initialise();
}

Recurrent::Recurrent(const Child& place, kernels::Cell cell, const Sizes& sizes,
                     const RecurrentOptions& options)
    : Module(place), cell_(cell), sizes_(sizes), options_(options), masks_(generator_of(options)) {
  initialise();
}

CellTraits Recurrent::traits() const {
  return sizes_.custom ? sizes_.custom->traits : kernels::traits_of(cell_);
}

std::string_view Recurrent::name() const {
  if (sizes_.custom) return sizes_.custom->name;
  switch (cell_) {
    case kernels::Cell::lstm:
      return sizes_.single_step ? "lstm_cell" : "lstm";
    case kernels::Cell::gru:
      return sizes_.single_step ? "gru_cell" : "gru";
    default:
      return sizes_.single_step ? "rnn_cell" : "rnn";
  }
}

std::optional<spec::RecurrentSpec> Recurrent::description(const std::string& name) const {
  if (sizes_.custom || sizes_.single_step) return std::nullopt;
  spec::RecurrentSpec r;
  r.name = name;
  r.cell = cell_ == kernels::Cell::lstm  ? spec::Cell::lstm
           : cell_ == kernels::Cell::gru ? spec::Cell::gru
                                         : spec::Cell::rnn;
  r.nonlinearity = cell_ == kernels::Cell::rnn_tanh ? Nonlinearity::tanh : Nonlinearity::relu;
  r.input_size = sizes_.input;
  r.hidden_size = sizes_.hidden;
  r.num_layers = options_.num_layers;
  r.proj_size = sizes_.projection;
  r.bidirectional = options_.bidirectional;
  r.bias = options_.bias;
  r.layer_norm = options_.regularisation.layer_norm;
  r.zoneout_h = options_.regularisation.zoneout.h;
  r.zoneout_c = options_.regularisation.zoneout.c;
  r.learn_initial_state = options_.learn_initial_state;
  return r;
}

void Recurrent::check_options() const {
  if (sizes_.input < 1 || sizes_.hidden < 1 || options_.num_layers < 1)
    throw ValueError(name(),
                     fmt::format("input_size {}, hidden_size {}, num_layers {}; expected at "
                                 "least 1 each",
                                 sizes_.input, sizes_.hidden, options_.num_layers));
  // W_hh would fit into no memory; products of fewer units with the gates do not overflow.
  constexpr std::int64_t kMost = std::int64_t{1} << 31;
  if (sizes_.hidden > kMost || options_.num_layers > kMost)
    throw ValueError(name(), fmt::format("hidden_size {}, num_layers {}; expected at most {} each",
                                         sizes_.hidden, options_.num_layers, kMost));
  if (sizes_.projection < 0 || sizes_.projection >= sizes_.hidden)
    throw ValueError(name(), fmt::format("proj_size is {}, expected 0 (none) to {}, less than "
                                         "hidden_size",
                                         sizes_.projection, sizes_.hidden - 1));
  if (const CellTraits cell = traits(); cell.gates < 1 || cell.joint > cell.gates)
    throw ValueError(name(), fmt::format("the cell has {} gates, {} of them joint; expected at "
                                         "least 1 gate, and no more joint ones than gates",
                                         cell.gates, cell.joint));
  check_regularisation(name(), traits(), options_);
  if (sizes_.custom && (options_.regularisation.recurrent_dropout > 0 ||
                        (options_.regularisation.layer_norm && traits().memory)))
    throw ValueError(name(),
                     "recurrent_dropout, and layer_norm with a memory, happen inside of the "
                     "cell; one of your own must do them itself");
  if (options_.precision != Precision::bf16) return;
  if (options_.dtype != DType::f32)
    throw ValueError(name(), fmt::format("bf16 precision is asked for a layer of {}; it needs f32",
                                         name_of(options_.dtype)));
  if (!kernels::bf16_available())
    throw ValueError(name(), fmt::format("bf16 precision needs AVX512_BF16, which {} here is "
                                         "without; use full precision",
                                         kernels::instruction_set()));
}

void Recurrent::initialise() {
  check_options();
  const FloatEnvironment environment;
  Generator& generator = generator_of(options_);
  for (std::int64_t l = 0; l < options_.num_layers; ++l)
    for (std::int64_t d = 0; d < directions(); ++d) {
      const std::int64_t input = l == 0 ? sizes_.input : directions() * state_size();
      const std::string suffix = fmt::format("_l{}{}", l, d == 1 ? "_reverse" : "");
      layers_.push_back(make_layer(input, sizes_.single_step ? "" : suffix, generator));
    }
  if (!options_.learn_initial_state) return;
  const std::int64_t rows = options_.num_layers * directions();
  h_0_ = add_parameter("h_0", Tensor::zeros({rows, 1, state_size()}, options_.dtype));
  if (traits().memory)
    c_0_ = add_parameter("c_0", Tensor::zeros({rows, 1, sizes_.hidden}, options_.dtype));
}

Recurrent::Layer Recurrent::make_layer(std::int64_t input, const std::string& suffix,
                                       Generator& generator) {
  const std::int64_t hidden = sizes_.hidden;
  const auto gates = static_cast<int>(traits().gates);
  const double bound = 1.0 / std::sqrt(static_cast<double>(hidden));
  const auto draw = [&](std::string_view what, const Shape& shape, int stacked) {
    const Tensor values = Tensor::empty(shape, options_.dtype);
    init::uniform(values, -bound, bound, generator);
    return add_parameter(fmt::format("{}{}", what, suffix), values, stacked);
  };
  const auto normalise = [&](std::string_view what, std::int64_t size, Tensor& weight,
                             Tensor& bias) {
    const std::string place = fmt::format("layer_norm_{}{}", what, suffix);
    weight = add_parameter(place + ".weight", Tensor::full({size}, 1, options_.dtype));
    bias = add_parameter(place + ".bias", Tensor::zeros({size}, options_.dtype));
  };
  Layer layer;
  layer.weight_ih = draw("weight_ih", {gates * hidden, input}, gates);
  layer.weight_hh = draw("weight_hh", {gates * hidden, state_size()}, gates);
  if (options_.bias) {
    layer.bias_ih = draw("bias_ih", {gates * hidden}, 0);
    layer.bias_hh = draw("bias_hh", {gates * hidden}, 0);
  }
  if (sizes_.projection) layer.weight_hr = draw("weight_hr", {sizes_.projection, hidden}, 1);
  if (options_.regularisation.layer_norm) {
    normalise("ih", gates * hidden, layer.norm_ih_weight, layer.norm_ih_bias);
    normalise("hh", gates * hidden, layer.norm_hh_weight, layer.norm_hh_bias);
    if (traits().memory) normalise("c", hidden, layer.norm_c_weight, layer.norm_c_bias);
  }
  return layer;
}

void Recurrent::check_input(const Tensor& input, std::span<const std::int64_t> lengths) const {
  if (input.rank() != 3 || input.size(2) != sizes_.input || input.size(0) < 1 || input.size(1) < 1)
    throw ShapeError(
        name(), fmt::format("input has shape {}, expected [{}, {}]", input.shape().str(),
                            options_.batch_first ? "batch, steps" : "steps, batch", sizes_.input));
  if (input.dtype() != options_.dtype)
    throw ShapeError(name(), fmt::format("input is {}, the layer is {}; convert one with to()",
                                         name_of(input.dtype()), name_of(options_.dtype)));
  const std::int64_t batch = input.size(options_.batch_first ? 0 : 1);
  const std::int64_t steps = input.size(options_.batch_first ? 1 : 0);
  check_lengths(name(), lengths, batch, steps);
}

Tensor Recurrent::initial_state(std::string_view state, const Tensor& given, const Tensor& learnt,
                                std::int64_t batch, std::int64_t size) const {
  if (!given.defined()) return learnt.defined() ? expand_batch(learnt, batch) : Tensor();
  check_state(state, given, {options_.num_layers * directions(), batch, size});
  return given;
}

void Recurrent::check_state(std::string_view state, const Tensor& given,
                            const Shape& expected) const {
  if (given.shape() != expected || given.dtype() != options_.dtype)
    throw ShapeError(name(), fmt::format("{} is {} of shape {}, expected {} of shape {}", state,
                                         name_of(given.dtype()), given.shape().str(),
                                         name_of(options_.dtype), expected.str()));
}

Recurrent::Result Recurrent::run(const Tensor& input, const Tensor& h_0, const Tensor& c_0,
                                 const RecurrentCall& call) const {
  if (input.rank() != 2) return run_batch(input, h_0, c_0, call);
  if (input.size(1) != sizes_.input || input.size(0) < 1)
    throw ShapeError(
        name(), fmt::format("input has shape {}, expected [steps, {}], or [{}, {}]",
                            input.shape().str(), sizes_.input,
                            options_.batch_first ? "batch, steps" : "steps, batch", sizes_.input));
  if (!call.lengths.empty())
    throw ValueError(name(), fmt::format("lengths are given, but the input, of shape {}, is one "
                                         "sequence; give it its steps alone, or a batch",
                                         input.shape().str()));
  const std::int64_t rows = options_.num_layers * directions(), steps = input.size(0);
  const auto batch_of_one = [&](std::string_view which, const Tensor& state, std::int64_t size) {
    if (!state.defined()) return state;
    check_state(which, state, {rows, size});
    return state.contiguous().view({rows, 1, size});
  };
  const Tensor x = input.contiguous().view(options_.batch_first ? Shape{1, steps, sizes_.input}
                                                                : Shape{steps, 1, sizes_.input});
  const auto [output, h_n, c_n] = run_batch(x, batch_of_one("h_0", h_0, state_size()),
                                            batch_of_one("c_0", c_0, sizes_.hidden), call);
  return {output.select(options_.batch_first ? 0 : 1, 0), h_n.select(1, 0),
          c_n.defined() ? c_n.select(1, 0) : c_n};
}

Recurrent::Result Recurrent::run_batch(const Tensor& input, const Tensor& h_0, const Tensor& c_0,
                                       const RecurrentCall& options) const {
  check_input(input, options.lengths);
  const FloatEnvironment environment;
  const int batch_dim = options_.batch_first ? 0 : 1;
  const std::int64_t batch = input.size(batch_dim), steps = input.size(1 - batch_dim);
  // Sequences must come from the longest to the shortest; others are brought into that order, and
  // the results back.
  const Tensor order = order_of(options.lengths);
  const auto sorted = [&](const Tensor& x, int dim) {
    return order.defined() && x.defined() ? permute_rows(x, dim, order) : x;
  };
  const Tensor x = sorted(input, batch_dim);
  const Tensor h = sorted(initial_state("h_0", h_0, h_0_, batch, state_size()), 1);
  const Tensor c = sorted(initial_state("c_0", c_0, c_0_, batch, sizes_.hidden), 1);

  StackCall call;
  call.shape.cell = cell_;
  call.shape.custom = sizes_.custom;
  call.shape.batch = unsigned_of(batch);
  call.shape.steps = unsigned_of(steps);
  call.shape.input = unsigned_of(sizes_.input);
  call.shape.hidden = unsigned_of(sizes_.hidden);
  call.shape.projection = unsigned_of(sizes_.projection);
  call.shape.bias = options_.bias;
  call.shape.layer_norm = options_.regularisation.layer_norm;
  call.shape.bf16 = options_.precision == Precision::bf16;
  call.layers = unsigned_of(options_.num_layers);
  call.directions = unsigned_of(directions());
  call.batch_first = options_.batch_first;
  for (std::size_t n = 0; n < options.lengths.size(); ++n) {
    const std::size_t row = order.defined() ? unsigned_of(order.values<std::int64_t>()[n]) : n;
    call.lengths.push_back(unsigned_of(options.lengths[row]));
  }
  set_factors(call, name(), options_, is_training(), options.masks, order, masks_);

  std::pmr::vector<LayerWeights> weights(current_workspace().get());
  for (const Layer& layer : layers_) weights.push_back(weights_of(layer));
  const auto [output, h_n, c_n] = run_stack(std::move(call), weights, x, h, c);
  if (!order.defined()) return {output, h_n, c_n};
  const Tensor back = inverse_of(order);
  return {permute_rows(output, batch_dim, back), permute_rows(h_n, 1, back),
          c_n.defined() ? permute_rows(c_n, 1, back) : c_n};
}

}  // namespace unroll::nn
