#include "unroll/nn/recurrent.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/batch_part.h"
#include "core/float_environment.h"
#include "kernels/bf16.h"
#include "nn/lengths.h"
#include "nn/recurrent_masks.h"
#include "nn/recurrent_node.h"
#include "nn/rows.h"
#include "spec/cells.h"
#include "spec/layer_weights.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"
#include "unroll/nn/init.h"

namespace unroll::nn {
namespace {

Generator& generator_or_default(const RecurrentOptions& options) {
  return options.generator ? *options.generator : default_generator();
}

/// The order of the sequences from longest to shortest; equal lengths keep their order. Undefined
/// if the sequences already descend.
Tensor order_of(std::span<const std::int64_t> lengths) {
  if (std::ranges::is_sorted(lengths, std::ranges::greater())) return {};
  const Tensor order = Tensor::empty({static_cast<std::int64_t>(lengths.size())}, DType::i64);
  longest_first(lengths, order.values<std::int64_t>());
  return order;
}

std::size_t unsigned_of(std::int64_t n) { return static_cast<std::size_t>(n); }

}  // namespace

Recurrent::Recurrent(const Kind& kind, const RecurrentOptions& options)
    : kind_(kind),
      options_(options),
      masks_(generator_or_default(options)),
      packed_(std::make_shared<PackedWeights>()) {
  initialise();
}

Recurrent::Recurrent(const Child& place, const Kind& kind, const RecurrentOptions& options)
    : Module(place),
      kind_(kind),
      options_(options),
      masks_(generator_or_default(options)),
      packed_(std::make_shared<PackedWeights>()) {
  initialise();
}

CellTraits Recurrent::traits() const {
  return kind_.custom ? kind_.custom->traits : spec::info_of(kind_.cell).traits();
}

/// The sizes and options of any layer, including one that no description can hold.
spec::RecurrentSpec Recurrent::described() const {
  spec::RecurrentSpec r;
  r.cell = kind_.cell;
  r.nonlinearity = kind_.nonlinearity;
  r.input_size = kind_.input;
  r.hidden_size = kind_.hidden;
  r.num_layers = options_.num_layers;
  r.proj_size = kind_.projection;
  r.bidirectional = options_.bidirectional;
  r.bias = options_.bias;
  r.layer_norm = options_.regularisation.layer_norm;
  r.zoneout_h = options_.regularisation.zoneout.h;
  r.zoneout_c = options_.regularisation.zoneout.c;
  r.learn_initial_state = options_.learn_initial_state;
  return r;
}

std::optional<spec::RecurrentSpec> Recurrent::description(const std::string& name) const {
  if (kind_.custom || kind_.single_step) return std::nullopt;
  spec::RecurrentSpec r = described();
  r.name = name;
  return r;
}

void Recurrent::check_options() const {
  if (kind_.input < 1 || kind_.hidden < 1 || options_.num_layers < 1)
    throw ValueError(name(),
                     fmt::format("input_size {}, hidden_size {}, num_layers {}; expected at "
                                 "least 1 each",
                                 kind_.input, kind_.hidden, options_.num_layers));
  // With more units W_hh fits in no memory. Below, products of sizes and gates do not overflow.
  constexpr std::int64_t kMost = std::int64_t{1} << 31;
  if (kind_.hidden > kMost || options_.num_layers > kMost)
    throw ValueError(name(), fmt::format("hidden_size {}, num_layers {}; expected at most {} each",
                                         kind_.hidden, options_.num_layers, kMost));
  if (kind_.projection < 0 || kind_.projection >= kind_.hidden)
    throw ValueError(
        name(), fmt::format("proj_size is {}, expected 0 (no projection) to {}, below hidden_size",
                            kind_.projection, kind_.hidden - 1));
  if (const CellTraits cell = traits(); cell.gates < 1 || cell.joint > cell.gates)
    throw ValueError(name(), fmt::format("the cell has {} gates and {} joint gates; expected at "
                                         "least 1 gate, and at most as many joint gates",
                                         cell.gates, cell.joint));
  check_regularisation(name(), traits(), options_);
  if (kind_.custom && (options_.regularisation.recurrent_dropout > 0 ||
                       (options_.regularisation.layer_norm && traits().memory)))
    throw ValueError(name(),
                     "a custom cell has to implement recurrent_dropout itself, and layer_norm if "
                     "it has a memory; turn them off");
  if (options_.precision != Precision::bf16) return;
  if (options_.dtype != DType::f32)
    throw ValueError(
        name(),
        fmt::format(
            "bf16 precision needs a layer of f32, this one is {}; use f32 or full precision",
            name_of(options_.dtype)));
  if (!kernels::bf16_available())
    throw ValueError(name(),
                     fmt::format("bf16 precision needs AVX512_BF16, which this CPU lacks or "
                                 "UNROLL_ISA switches off (in use: {}); use full precision",
                                 kernels::instruction_set()));
}

void Recurrent::initialise() {
  name_ = kind_.custom ? kind_.custom->name : spec::name_of(kind_.cell);
  if (kind_.single_step) name_ += "_cell";
  check_options();
  const FloatEnvironment environment;
  Generator& generator = generator_or_default(options_);
  for (std::int64_t l = 0; l < options_.num_layers; ++l)
    for (std::int64_t d = 0; d < directions(); ++d) layers_.push_back(make_layer(l, d, generator));
  if (options_.learn_initial_state) {
    const std::int64_t rows = options_.num_layers * directions();
    h_0_ = add_parameter("h_0", Tensor::zeros({rows, 1, state_size()}, options_.dtype));
    if (traits().memory)
      c_0_ = add_parameter("c_0", Tensor::zeros({rows, 1, kind_.hidden}, options_.dtype));
  }
  raise_forget_bias();
}

Recurrent::Layer Recurrent::make_layer(std::int64_t l, std::int64_t d, Generator& generator) {
  using enum WeightRole;
  const double bound = 1.0 / std::sqrt(static_cast<double>(kind_.hidden));
  Layer layer;
  for (const auto& [role, name, sizes] : spec::layer_weights(described(), traits(), l, d)) {
    const Shape shape{std::span(sizes)};
    int stacked = 0;  // number of matrices stacked in the rows
    Tensor values;
    switch (role) {
      case norm_ih_weight:
      case norm_hh_weight:
      case norm_c_weight:
        values = Tensor::full(shape, 1, options_.dtype);
        break;
      case norm_ih_bias:
      case norm_hh_bias:
      case norm_c_bias:
        values = Tensor::zeros(shape, options_.dtype);
        break;
      case weight_ih:
      case weight_hh:
        stacked = static_cast<int>(traits().gates);
        [[fallthrough]];
      case weight_hr:
      case bias_ih:
      case bias_hh:
        if (role == weight_hr) stacked = 1;
        values = Tensor::empty(shape, options_.dtype);
        init::uniform(values, -bound, bound, generator);
    }
    layer[role] =
        add_parameter(kind_.single_step ? spec::weight_name(role) : name, values, stacked);
  }
  return layer;
}

void Recurrent::raise_forget_bias() const {
  const double by = kind_.forget_bias;
  if (!std::isfinite(by))
    throw ValueError(name(), fmt::format("forget_bias is {}, expected a finite number", by));
  if (by == 0) return;
  const int gate = kind_.custom ? -1 : spec::info_of(kind_.cell).forget_gate;
  if (gate < 0) throw ValueError(name(), "forget_bias is given, but the cell has no forget gate");
  for (const Layer& layer : layers_) {
    const Tensor& bias_ih = layer[WeightRole::bias_ih];
    if (!bias_ih.defined())
      throw ValueError(name(), "forget_bias is given, but the layer has no biases");
    dispatch(name(), bias_ih.dtype(), [&]<class T>(T*) {
      const std::size_t hidden = unsigned_of(kind_.hidden);
      // Computed in f32, like all initial values.
      for (T& b : raw_values<T>(bias_ih).subspan(static_cast<std::size_t>(gate) * hidden, hidden))
        b = static_cast<T>(static_cast<float>(b) + static_cast<float>(by));
    });
    changed(bias_ih);
  }
}

void Recurrent::check_input(const Tensor& input, std::span<const std::int64_t> lengths) const {
  if (input.rank() != 3 || input.size(2) != kind_.input || input.size(0) < 1 || input.size(1) < 1)
    throw ShapeError(
        name(), fmt::format("input has shape {}, expected [{}, {}]", input.shape().str(),
                            options_.batch_first ? "batch, steps" : "steps, batch", kind_.input));
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
  if (input.size(1) != kind_.input || input.size(0) < 1)
    throw ShapeError(
        name(), fmt::format("input has shape {}, expected [steps, {}], or [{}, {}]",
                            input.shape().str(), kind_.input,
                            options_.batch_first ? "batch, steps" : "steps, batch", kind_.input));
  if (!call.lengths.empty())
    throw ValueError(name(), fmt::format("lengths are given, but the input of shape {} is a single "
                                         "sequence; cut it to its length, or give a batch",
                                         input.shape().str()));
  const std::int64_t rows = options_.num_layers * directions(), steps = input.size(0);
  const auto batch_of_one = [&](std::string_view which, const Tensor& state, std::int64_t size) {
    if (!state.defined()) return state;
    check_state(which, state, {rows, size});
    return state.contiguous().view({rows, 1, size});
  };
  const Tensor x = input.contiguous().view(options_.batch_first ? Shape{1, steps, kind_.input}
                                                                : Shape{steps, 1, kind_.input});
  const auto [output, h_n, c_n] = run_batch(x, batch_of_one("h_0", h_0, state_size()),
                                            batch_of_one("c_0", c_0, kind_.hidden), call);
  return {output.select(options_.batch_first ? 0 : 1, 0), h_n.select(1, 0),
          c_n.defined() ? c_n.select(1, 0) : c_n};
}

Recurrent::Result Recurrent::run_batch(const Tensor& input, const Tensor& h_0, const Tensor& c_0,
                                       const RecurrentCall& options) const {
  check_input(input, options.lengths);
  const FloatEnvironment environment;
  const int batch_dim = options_.batch_first ? 0 : 1;
  const std::int64_t batch = input.size(batch_dim), steps = input.size(1 - batch_dim);
  // The node needs sequences from longest to shortest. Reorders the batch, and afterwards the
  // results.
  const Tensor order = order_of(options.lengths);
  const auto sorted = [&](const Tensor& x, int dim) {
    return order.defined() && x.defined() ? permute_rows(x, dim, order) : x;
  };
  const Tensor x = sorted(input, batch_dim);
  const Tensor h = sorted(initial_state("h_0", h_0, h_0_, batch, state_size()), 1);
  const Tensor c = sorted(initial_state("c_0", c_0, c_0_, batch, kind_.hidden), 1);

  StackCall call;
  kernels::RecurrentShape& first = call.shape.first;
  first.cell = spec::kernel_of(kind_.cell, kind_.nonlinearity);
  first.custom = kind_.custom;
  first.batch = unsigned_of(batch);
  first.part = shards_of(first.batch);
  first.steps = unsigned_of(steps);
  first.input = unsigned_of(kind_.input);
  first.hidden = unsigned_of(kind_.hidden);
  first.projection = unsigned_of(kind_.projection);
  first.bias = options_.bias;
  first.layer_norm = options_.regularisation.layer_norm;
  first.bf16 = options_.precision == Precision::bf16;
  call.shape.layers = unsigned_of(options_.num_layers);
  call.shape.directions = unsigned_of(directions());
  call.batch_first = options_.batch_first;
  for (std::size_t n = 0; n < options.lengths.size(); ++n) {
    const std::size_t row = order.defined() ? unsigned_of(order.values<std::int64_t>()[n]) : n;
    call.lengths.push_back(unsigned_of(options.lengths[row]));
  }
  set_factors(call, name(), options_, is_training(), options.masks, order, masks_);

  const auto [output, h_n, c_n] = run_stack(std::move(call), layers_, x, h, c, *packed_);
  if (!order.defined()) return {output, h_n, c_n};
  const Tensor back = inverse_of(order);
  return {permute_rows(output, batch_dim, back), permute_rows(h_n, 1, back),
          c_n.defined() ? permute_rows(c_n, 1, back) : c_n};
}

}  // namespace unroll::nn
