#include "unroll/nn/activation_regularisation.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/node.h"
#include "core/batch_part.h"
#include "core/float_environment.h"
#include "core/shard_sums.h"
#include "nn/outputs.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;

/// Calls f(t, n) for every step and row.
template <class F>
void for_rows(const Outputs& outputs, F&& f) {
  for_each_row(outputs.steps(), outputs.batch(), outputs.features(), f);
}

/// The number of terms of the mean, counted over the whole batch even in a part of it.
std::size_t terms_of(const Outputs& outputs, std::size_t lag) {
  std::size_t batch = outputs.batch(), steps = 0;
  const BatchPart* const part = batch_part();
  if (part && part->shards.rows() == batch) {
    batch = part->shards.whole_rows();
    steps = part->steps != 0 ? part->steps : batch * outputs.length(0);
  } else {
    for (std::size_t n = 0; n < batch; ++n) steps += outputs.length(n);
  }
  return (steps - lag * batch) * outputs.features();
}

/// factor * mean(y_t^2), or with lag 1 factor * mean((y_{t+1} - y_t)^2).
Tensor penalty(std::string_view operation, const Tensor& output, double factor,
               const BatchLayout& layout, std::size_t lag) {
  if (!std::isfinite(factor))
    throw ValueError(operation, fmt::format("factor is {}, expected a finite number", factor));
  const FloatEnvironment environment;
  const Outputs outputs = outputs_of(operation, output, layout);
  const std::size_t features = outputs.features(), batch = outputs.batch();
  const std::size_t terms = terms_of(outputs, lag);
  const double share = terms == 0 ? 0 : factor / static_cast<double>(terms);
  Tensor result = Tensor::empty({}, output.dtype());
  // Sums of rows in f64, then the sum of these within each shard.
  const Tensor row_sums = Tensor::zeros({outputs.y.size(0), outputs.y.size(1)}, DType::f64);
  double* const sums = row_sums.data<double>();
  const Shards shards = shards_of(batch);
  dispatch(operation, output.dtype(), [&]<class T>(T*) {
    const auto y = sequence_of<const T>(outputs.y);
    for_rows(outputs, [&](std::size_t t, std::size_t n) {
      if (t + lag >= outputs.length(n)) return;
      double sum = 0;
      for (std::size_t j = 0; j < features; ++j) {
        const T d = lag == 0 ? y.at(t, n)[j] : y.at(t + lag, n)[j] - y.at(t, n)[j];
        sum += static_cast<double>(d) * static_cast<double>(d);
      }
      sums[t * batch + n] = sum;
    });
    sum_over_shards(shards.count(), 1, result.data<T>(), [&](std::size_t k, T* to) {
      double total = 0;
      const std::size_t begin = shards.begin(k), end = shards.begin(k + 1);
      for (std::size_t t = 0; t < outputs.steps(); ++t)
        for (std::size_t n = begin; n < end; ++n) total += sums[t * batch + n];
      *to = static_cast<T>(share * total);
    });
  });
  return autograd::with_backward(
      result,
      [operation, outputs, features, share, lag, shape = output.shape(),
       batch_first = layout.batch_first](const Gradient& g, std::span<Gradient> inputs) {
        inputs[0].value = Tensor::zeros(shape, outputs.y.dtype());
        const Tensor view = steps_first(inputs[0].value, batch_first);
        dispatch(operation, outputs.y.dtype(), [&]<class T>(T*) {
          const T scale = static_cast<T>(2 * share * g.value.item());
          const auto y = sequence_of<const T>(outputs.y);
          const auto dy = sequence_of<T>(view);
          for_rows(outputs, [&](std::size_t t, std::size_t n) {
            const std::size_t length = outputs.length(n);
            if (t >= length) return;
            for (std::size_t j = 0; j < features; ++j) {
              T slope = lag == 0 ? y.at(t, n)[j] : T{0};
              if (lag == 1 && t > 0) slope += y.at(t, n)[j] - y.at(t - 1, n)[j];
              if (lag == 1 && t + 1 < length) slope -= y.at(t + 1, n)[j] - y.at(t, n)[j];
              dy.at(t, n)[j] = scale * slope;
            }
          });
        });
      },
      output);
}

}  // namespace

Tensor activation_regularisation(const Tensor& output, double alpha, const BatchLayout& layout) {
  return penalty("activation_regularisation", output, alpha, layout, 0);
}

Tensor temporal_activation_regularisation(const Tensor& output, double beta,
                                          const BatchLayout& layout) {
  return penalty("temporal_activation_regularisation", output, beta, layout, 1);
}

}  // namespace unroll::nn
