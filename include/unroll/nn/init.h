// Initial values of parameters. All draw in f32 and widen, so that a model in f64 starts where the
// same model in f32 does. Source: https://pytorch.org/docs/stable/nn.init.html
//
// A recurrent layer stacks its gates' blocks in a matrix (G H, I). A view takes one of them:
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

/// Uniform in +-sqrt(6 / ((1 + slope^2) fan_in)), where fan_in is how many inputs reach one output:
/// the product of all sizes but the first (He et al., "Delving deep into rectifiers", 2015). Throws
/// what the form with options does.
/// Source: https://pytorch.org/docs/stable/nn.init.html
UNROLL_API void kaiming_uniform(const Tensor& to, double slope, Generator& generator);

UNROLL_API void constant(const Tensor& to, double value);

/// The identity matrix (Le, Jaitly, Hinton, "A simple way to initialize recurrent networks of
/// rectified linear units", 2015). A square matrix; ShapeError otherwise.
UNROLL_API void identity(const Tensor& to);

/// What follows a weight.
enum class Activation { linear, sigmoid, tanh, relu, leaky_relu, selu };

/// The factor that keeps the variance: 1 for linear and sigmoid, 5/3 for tanh, sqrt(2) for relu,
/// sqrt(2 / (1 + negative_slope^2)) for leaky_relu, 3/4 for selu.
UNROLL_API double calculate_gain(Activation activation, double negative_slope = 0.01);

/// Uniform in +-gain sqrt(6 / (fan_in + fan_out)), where a matrix (O, I) has fan_in I and fan_out
/// O, and a convolution (O, I, K, ...) both times its kernel's positions, K ... (Glorot, Bengio
/// 2010). Throws ShapeError for less than two dimensions, ValueError for a gain that is not finite.
UNROLL_API void xavier_uniform(const Tensor& to, Generator& generator, double gain = 1);

/// Normal with standard deviation gain sqrt(2 / (fan_in + fan_out)); else as xavier_uniform.
UNROLL_API void xavier_normal(const Tensor& to, Generator& generator, double gain = 1);

enum class FanMode {
  fan_in,  ///< keeps the variance of what flows forward
  fan_out  ///< and of what flows back
};

struct KaimingOptions {
  double a = 0;  ///< the negative slope of leaky_relu
  FanMode mode = FanMode::fan_in;
  Activation nonlinearity = Activation::leaky_relu;
};

/// Uniform in +-calculate_gain(nonlinearity, a) sqrt(3 / fan), fan as for xavier_uniform (He,
/// Zhang, Ren, Sun 2015). Throws ShapeError for less than two dimensions, ValueError for an `a`
/// that is not finite.
UNROLL_API void kaiming_uniform(const Tensor& to, Generator& generator,
                                const KaimingOptions& options = {});

/// Normal with standard deviation calculate_gain(nonlinearity, a) / sqrt(fan); else as
/// kaiming_uniform.
UNROLL_API void kaiming_normal(const Tensor& to, Generator& generator,
                               const KaimingOptions& options = {});

/// A random matrix with orthonormal rows or columns, whichever are fewer, times gain; each of
/// `gates` blocks of rows is one by itself (Saxe 2013).
/// Throws ShapeError for other than a matrix or rows that gates doesn't divide, ValueError for a
/// gain that is not finite or gates below 1.
UNROLL_API void orthogonal(const Tensor& to, Generator& generator, double gain = 1, int gates = 1);

/// Sets the forget gate's part of an LSTM's bias (4 H; gates i, f, g, o), H to 2 H, and leaves the
/// rest: with 1, and 0 in the layer's other bias, the cell remembers at first (Gers 2000;
/// Jozefowicz 2015). Throws ShapeError unless the bias is a vector whose size 4 divides,
/// ValueError for a value that is not finite.
UNROLL_API void forget_gate_bias(const Tensor& bias, double value = 1);

}  // namespace unroll::nn::init
