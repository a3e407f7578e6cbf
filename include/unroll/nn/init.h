// Initial values of parameters. All draw in f32 and widen, so that a model in f64 starts where the
// same model in f32 does.
#pragma once

#include "unroll/core/random.h"
#include "unroll/tensor/tensor.h"

namespace unroll::nn::init {

/// Uniform in [low, high).
void uniform(const Tensor& to, double low, double high, Generator& generator);

/// Normal with this mean and standard deviation.
void normal(const Tensor& to, double mean, double std, Generator& generator);

/// Uniform in +-sqrt(6 / ((1 + slope^2) fan_in)), where fan_in is how many inputs reach one output:
/// the product of all sizes but the first (He et al., "Delving deep into rectifiers", 2015). At
/// least two dimensions; ShapeError otherwise.
/// Source: https://pytorch.org/docs/stable/nn.init.html
void kaiming_uniform(const Tensor& to, double slope, Generator& generator);

void constant(const Tensor& to, double value);

/// The identity matrix (Le, Jaitly, Hinton, "A simple way to initialize recurrent networks of
/// rectified linear units", 2015). A square matrix; ShapeError otherwise.
void identity(const Tensor& to);

/// A random matrix with orthonormal rows or columns, whichever are fewer (Saxe 2013).
/// Source: https://pytorch.org/docs/stable/nn.init.html
void orthogonal(const Tensor& to, Generator& generator);

}  // namespace unroll::nn::init
