// Initial values of parameters. All functions draw in f32 and widen, so a model in f64 starts from
// the same values as in f32. Source: https://pytorch.org/docs/stable/nn.init.html
//
// A recurrent layer stacks the blocks of its gates in one matrix (G H, I). A view selects one
// block:
//
//     init::xavier_uniform(weight.view({G, H, I}).select(0, gate), generator);
#pragma once

#include "unroll/core/api.h"
#include "unroll/core/random.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn::init {

/// Uniform in [low, high).
UNROLL_API void uniform(const Tensor& to, double low, double high, Generator& generator);

/// Normal with this mean and standard deviation.
UNROLL_API void normal(const Tensor& to, double mean, double std, Generator& generator);

/// Uniform in +-sqrt(6 / ((1 + slope^2) fan_in)). fan_in is the number of inputs of one output: the
/// product of all sizes except the first (He et al., "Delving deep into rectifiers", 2015).
/// Throws the errors of the overload with options.
/// Source: https://pytorch.org/docs/stable/nn.init.html
UNROLL_API void kaiming_uniform(const Tensor& to, double slope, Generator& generator);

UNROLL_API void constant(const Tensor& to, double value);

/// The identity matrix (Le, Jaitly, Hinton, "A simple way to initialize recurrent networks of
/// rectified linear units", 2015). Throws ShapeError unless `to` is a square matrix.
UNROLL_API void identity(const Tensor& to);

/// The function that follows a weight.
enum class Activation { linear, sigmoid, tanh, relu, leaky_relu, selu };

/// The gain that keeps the variance: 1 for linear and sigmoid, 5/3 for tanh, sqrt(2) for relu,
/// sqrt(2 / (1 + negative_slope^2)) for leaky_relu, 3/4 for selu.
UNROLL_API double calculate_gain(Activation activation, double negative_slope = 0.01);

/// Uniform in +-gain sqrt(6 / (fan_in + fan_out)) (Glorot, Bengio 2010). A matrix (O, I) has fan_in
/// I and fan_out O. For a convolution (O, I, K, ...) both are multiplied by the number of kernel
/// elements.
/// Throws ShapeError for fewer than two dimensions, ValueError for a gain that is not finite.
UNROLL_API void xavier_uniform(const Tensor& to, Generator& generator, double gain = 1);

/// Normal with standard deviation gain sqrt(2 / (fan_in + fan_out)); otherwise as xavier_uniform.
UNROLL_API void xavier_normal(const Tensor& to, Generator& generator, double gain = 1);

enum class FanMode {
  fan_in,  ///< keeps the variance in the forward pass
  fan_out  ///< keeps the variance in the backward pass
};

struct KaimingOptions {
  double a = 0;  ///< the negative slope of leaky_relu
  FanMode mode = FanMode::fan_in;
  Activation nonlinearity = Activation::leaky_relu;
};

/// Uniform in +-calculate_gain(nonlinearity, a) sqrt(3 / fan), with fan as in xavier_uniform (He,
/// Zhang, Ren, Sun 2015).
/// Throws ShapeError for fewer than two dimensions, ValueError for an `a` that is not finite.
UNROLL_API void kaiming_uniform(const Tensor& to, Generator& generator,
                                const KaimingOptions& options = {});

/// Normal with standard deviation calculate_gain(nonlinearity, a) / sqrt(fan); otherwise as
/// kaiming_uniform.
UNROLL_API void kaiming_normal(const Tensor& to, Generator& generator,
                               const KaimingOptions& options = {});

/// A random matrix with orthonormal rows or columns, whichever are fewer, times gain (Saxe 2013).
/// The rows are divided into `gates` blocks, and each block is such a matrix.
/// Throws ShapeError unless `to` is a matrix whose number of rows `gates` divides, ValueError for a
/// gain that is not finite or gates below 1.
UNROLL_API void orthogonal(const Tensor& to, Generator& generator, double gain = 1, int gates = 1);

/// Sets the forget gate's part of an LSTM's bias (4 H; gates i, f, g, o): the elements from H to 2
/// H - 1. With 1, and 0 in the layer's other bias, an untrained cell remembers (Gers 2000;
/// Jozefowicz 2015).
/// Throws ShapeError unless the bias is a vector whose size 4 divides, ValueError for a value that
/// is not finite.
UNROLL_API void forget_gate_bias(const Tensor& bias, double value = 1);

}  // namespace unroll::nn::init
