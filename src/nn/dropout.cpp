#include "unroll/nn/dropout.h"

#include <fmt/format.h>

#include "autograd/elementwise.h"
#include "autograd/node.h"
#include "core/float_environment.h"
#include "nn/batch_mask.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;
using autograd::map2;

double checked(double p) {
  if (!(p >= 0 && p <= 1))
    throw ValueError("dropout", fmt::format("probability is {}, expected 0 to 1", p));
  return p;
}

Generator& generator_of(const DropoutOptions& options) {
  return options.generator ? *options.generator : default_generator();
}

}  // namespace

Tensor dropout(const Tensor& input, const Tensor& mask, double p) {
  const FloatEnvironment environment;
  const double scale = checked(p) < 1 ? 1 / (1 - p) : 0;
  const auto apply = [scale](auto v, auto m) { return v * (m * static_cast<decltype(m)>(scale)); };
  return autograd::with_backward(
      map2("dropout", input, mask, apply),
      [apply, mask = mask.detach()](const Gradient& g, std::span<Gradient> inputs) {
        inputs[0].value = map2("dropout", g.dense(mask.shape()), mask, apply);
      },
      input);
}

Dropout::Dropout(double p, const Options& options)
    : p_(checked(p)), masks_(generator_of(options)) {}

Dropout::Dropout(const Child& place, double p, const Options& options)
    : Module(place), p_(checked(p)), masks_(generator_of(options)) {}

Tensor Dropout::operator()(const Tensor& input, const Tensor& mask) const {
  if (!is_training() || (p_ == 0 && !mask.defined())) return input;
  const FloatEnvironment environment;
  if (mask.defined()) return dropout(input, mask, p_);
  return dropout(input, batch_mask(input.shape(), 0, 1 - p_, masks_.next(), input.dtype()), p_);
}

}  // namespace unroll::nn
