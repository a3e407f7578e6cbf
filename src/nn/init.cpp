#include "unroll/nn/init.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>
#include <vector>

#include "core/float_environment.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::nn::init {
namespace {

template <class Draw>
void fill(const Tensor& to, Draw&& draw) {
  const FloatEnvironment environment;
  std::vector<float> values(static_cast<std::size_t>(to.numel()));
  draw(std::span(values));
  copy_into(to, Tensor::from(values, to.shape()).to(to.dtype()));
}

/// fan_in: inputs of one output. fan_out: outputs of one input.
struct Fans {
  double in, out;
};

Fans fans_of(std::string_view operation, const Tensor& to) {
  if (to.rank() < 2)
    throw ShapeError(
        operation, fmt::format("got shape {}, expected two dimensions or more", to.shape().str()));
  return {static_cast<double>(to.shape().without(0).numel()),
          static_cast<double>(to.shape().without(1).numel())};
}

void check_finite(std::string_view operation, std::string_view what, double value) {
  if (!std::isfinite(value))
    throw ValueError(operation, fmt::format("{} = {}, expected a finite number", what, value));
}

// The standard deviation in PyTorch's order of operations, so that Rng::torch gives PyTorch's bits.
double xavier_std(std::string_view operation, const Tensor& to, double gain) {
  check_finite(operation, "gain", gain);
  const Fans fans = fans_of(operation, to);
  return gain * std::sqrt(2.0 / (fans.in + fans.out));
}

double kaiming_std(std::string_view operation, const Tensor& to, const KaimingOptions& options) {
  check_finite(operation, "a", options.a);
  const Fans fans = fans_of(operation, to);
  return calculate_gain(options.nonlinearity, options.a) /
         std::sqrt(options.mode == FanMode::fan_in ? fans.in : fans.out);
}

/// A matrix (rows, columns) with orthonormal rows or columns, times gain.
void orthogonal_block(std::span<float> values, std::size_t rows, std::size_t columns, double gain,
                      Generator& generator) {
  const bool wide = rows < columns;  // as in PyTorch
  // `count` vectors of `length`, made orthonormal one after the other.
  const std::size_t count = wide ? rows : columns, length = wide ? columns : rows;
  std::vector<float> drawn(values.size());
  generator.normal(std::span(drawn), 0, 1);
  std::vector<double> q(drawn.size());
  const auto place = [&](std::size_t v, std::size_t i) {
    return wide ? v * length + i : i * count + v;
  };
  for (std::size_t v = 0; v < count; ++v)
    for (std::size_t i = 0; i < length; ++i) q[v * length + i] = drawn[place(v, i)];
  const auto dot = [&](std::size_t a, std::size_t b) {
    double s = 0;
    for (std::size_t i = 0; i < length; ++i) s += q[a * length + i] * q[b * length + i];
    return s;
  };
  for (std::size_t v = 0; v < count; ++v) {
    // Gram-Schmidt twice is orthogonal to rounding (Kahan's "twice is enough").
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t u = 0; u < v; ++u) {
        const double projection = dot(u, v);
        for (std::size_t i = 0; i < length; ++i)
          q[v * length + i] -= projection * q[u * length + i];
      }
    const double norm = std::sqrt(dot(v, v));
    for (std::size_t i = 0; i < length; ++i) q[v * length + i] /= norm;
  }
  for (std::size_t v = 0; v < count; ++v)
    for (std::size_t i = 0; i < length; ++i)
      values[place(v, i)] = static_cast<float>(gain * q[v * length + i]);
}

}  // namespace

void uniform(const Tensor& to, double low, double high, Generator& generator) {
  fill(to, [&](std::span<float> values) { generator.uniform(values, low, high); });
}

void normal(const Tensor& to, double mean, double std, Generator& generator) {
  fill(to, [&](std::span<float> values) { generator.normal(values, mean, std); });
}

void kaiming_uniform(const Tensor& to, double slope, Generator& generator) {
  kaiming_uniform(to, generator, {.a = slope});
}

void constant(const Tensor& to, double value) {
  copy_into(to, Tensor::full(to.shape(), value, to.dtype()));
}

void identity(const Tensor& to) {
  if (to.rank() != 2 || to.size(0) != to.size(1))
    throw ShapeError("identity",
                     fmt::format("got shape {}, expected a square matrix", to.shape().str()));
  fill(to, [&](std::span<float> values) {
    for (std::size_t i = 0; i < values.size(); i += static_cast<std::size_t>(to.size(1)) + 1)
      values[i] = 1;
  });
}

double calculate_gain(Activation activation, double negative_slope) {
  const FloatEnvironment environment;
  switch (activation) {
    case Activation::tanh:
      return 5.0 / 3;
    case Activation::relu:
      return std::sqrt(2.0);
    case Activation::leaky_relu:
      return std::sqrt(2 / (1 + negative_slope * negative_slope));
    case Activation::selu:
      return 0.75;
    case Activation::linear:
    case Activation::sigmoid:
      break;
  }
  return 1;
}

void xavier_uniform(const Tensor& to, Generator& generator, double gain) {
  const FloatEnvironment environment;
  const double bound = std::sqrt(3.0) * xavier_std("xavier_uniform", to, gain);
  uniform(to, -bound, bound, generator);
}

void xavier_normal(const Tensor& to, Generator& generator, double gain) {
  const FloatEnvironment environment;
  normal(to, 0, xavier_std("xavier_normal", to, gain), generator);
}

void kaiming_uniform(const Tensor& to, Generator& generator, const KaimingOptions& options) {
  const FloatEnvironment environment;
  const double bound = std::sqrt(3.0) * kaiming_std("kaiming_uniform", to, options);
  uniform(to, -bound, bound, generator);
}

void kaiming_normal(const Tensor& to, Generator& generator, const KaimingOptions& options) {
  const FloatEnvironment environment;
  normal(to, 0, kaiming_std("kaiming_normal", to, options), generator);
}

void orthogonal(const Tensor& to, Generator& generator, double gain, int gates) {
  if (to.rank() != 2)
    throw ShapeError("orthogonal",
                     fmt::format("got shape {}, expected a matrix", to.shape().str()));
  if (!std::isfinite(gain))
    throw ValueError("orthogonal", fmt::format("gain = {}, expected a finite number", gain));
  if (gates < 1)
    throw ValueError("orthogonal", fmt::format("{} gates, expected at least 1", gates));
  if (to.size(0) % gates != 0)
    throw ShapeError("orthogonal", fmt::format("got shape {}, expected rows for {} gates",
                                               to.shape().str(), gates));
  const auto rows = static_cast<std::size_t>(to.size(0) / gates),
             columns = static_cast<std::size_t>(to.size(1));
  fill(to, [&](std::span<float> values) {
    for (std::size_t gate = 0; gate < static_cast<std::size_t>(gates); ++gate)
      orthogonal_block(values.subspan(gate * rows * columns, rows * columns), rows, columns, gain,
                       generator);
  });
}

void forget_gate_bias(const Tensor& bias, double value) {
  check_finite("forget_gate_bias", "value", value);
  if (bias.rank() != 1 || bias.size(0) % 4 != 0)
    throw ShapeError(
        "forget_gate_bias",
        fmt::format("got shape {}, expected a vector of 4 gates' biases", bias.shape().str()));
  constant(bias.view({4, bias.size(0) / 4}).select(0, 1), value);
}

}  // namespace unroll::nn::init
