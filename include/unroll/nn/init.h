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

void constant(const Tensor& to, double value);

/// The identity matrix (Le, Jaitly, Hinton, "A simple way to initialize recurrent networks of
/// rectified linear units", 2015). A square matrix; ShapeError otherwise.
void identity(const Tensor& to);

/// A random matrix with orthonormal rows or columns, whichever are fewer (Saxe 2013).
/// Source: https://pytorch.org/docs/stable/nn.init.html
void orthogonal(const Tensor& to, Generator& generator);

}  // namespace unroll::nn::init
