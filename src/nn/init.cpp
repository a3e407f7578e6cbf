#include "unroll/nn/init.h"

#include <fmt/format.h>

#include <cmath>
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

}  // namespace

void uniform(const Tensor& to, double low, double high, Generator& generator) {
  fill(to, [&](std::span<float> values) { generator.uniform(values, low, high); });
}

void normal(const Tensor& to, double mean, double std, Generator& generator) {
  fill(to, [&](std::span<float> values) { generator.normal(values, mean, std); });
}

void kaiming_uniform(const Tensor& to, double slope, Generator& generator) {
  if (to.rank() < 2)
    throw ShapeError("kaiming_uniform", fmt::format("got shape {}, expected two dimensions or more",
                                                    to.shape().str()));
  // In PyTorch's own order of operations.
  const double gain = std::sqrt(2.0 / (1.0 + slope * slope));
  const double bound =
      std::sqrt(3.0) * (gain / std::sqrt(static_cast<double>(to.shape().without(0).numel())));
  uniform(to, -bound, bound, generator);
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

void orthogonal(const Tensor& to, Generator& generator) {
  if (to.rank() != 2)
    throw ShapeError("orthogonal",
                     fmt::format("got shape {}, expected a matrix", to.shape().str()));
  const bool wide = to.size(0) < to.size(1);  // as in PyTorch, which else takes the columns
  // `count` vectors of `length`, made orthonormal one after the other.
  const auto count = static_cast<std::size_t>(wide ? to.size(0) : to.size(1));
  const auto length = static_cast<std::size_t>(wide ? to.size(1) : to.size(0));
  fill(to, [&](std::span<float> values) {
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
        values[place(v, i)] = static_cast<float>(q[v * length + i]);
  });
}

}  // namespace unroll::nn::init
