#include "unroll/nn/readout.h"

#include "autograd/node.h"
#include "core/float_environment.h"
#include "nn/outputs.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;

/// Offsets of the parts of a row of the result.
struct Parts {
  std::size_t width;
  bool mean, last, max;

  Parts(Readout kind, std::size_t features)
      : width(kind == Readout::mean_last ? 2 * features : features),
        mean(kind == Readout::mean || kind == Readout::mean_last),
        last(kind == Readout::last || kind == Readout::mean_last),
        max(kind == Readout::max) {}
};

/// Forward pass of one sequence. Writes to `places` the step of the maximum of each element.
template <class T>
void read_row(const Parts& parts, const kernels::Sequence<const T>& y, std::size_t n,
              std::size_t steps, std::size_t features, T* to, std::int64_t* places) {
  if (parts.mean) {
    for (std::size_t t = 0; t < steps; ++t)
      for (std::size_t j = 0; j < features; ++j)
        to[j] = t == 0 ? y.at(0, n)[j] : to[j] + y.at(t, n)[j];
    for (std::size_t j = 0; j < features; ++j) to[j] /= static_cast<T>(steps);
    to += features;
  }
  if (parts.last) std::copy_n(y.at(steps - 1, n), features, to);
  if (!parts.max) return;
  for (std::size_t t = 0; t < steps; ++t)
    for (std::size_t j = 0; j < features; ++j) {
      const T value = y.at(t, n)[j];
      // Written so that NaN replaces any number, and stays.
      if (t > 0 && (to[j] >= value || to[j] != to[j])) continue;
      to[j] = value;
      places[j] = static_cast<std::int64_t>(t);
    }
}

/// Backward pass of one sequence, into zeros.
template <class T>
void spread_row(const Parts& parts, const kernels::Sequence<T>& dy, std::size_t n,
                std::size_t steps, std::size_t features, const T* from,
                const std::int64_t* places) {
  if (parts.mean) {
    for (std::size_t t = 0; t < steps; ++t)
      for (std::size_t j = 0; j < features; ++j) dy.at(t, n)[j] = from[j] / static_cast<T>(steps);
    from += features;
  }
  for (std::size_t j = 0; j < features; ++j) {
    if (parts.last) dy.at(steps - 1, n)[j] += from[j];
    if (parts.max) dy.at(static_cast<std::size_t>(places[j]), n)[j] = from[j];
  }
}

}  // namespace

Tensor readout(const Tensor& output, Readout kind, const BatchLayout& layout) {
  const Outputs outputs = outputs_of("readout", output, layout);
  if (kind == Readout::every_step) return output;
  if (kind == Readout::last && layout.lengths.empty())
    return output.select(layout.batch_first ? 1 : 0, -1);

  const FloatEnvironment environment;
  const std::size_t features = outputs.features();
  const Parts parts(kind, features);
  const std::int64_t batch = outputs.y.size(1);
  Tensor result = Tensor::empty({batch, static_cast<std::int64_t>(parts.width)}, output.dtype());
  const Tensor places = Tensor::empty({batch, parts.max ? output.size(2) : 0}, DType::i64);
  // Calls f(n, its steps, its places) for each sequence.
  const auto for_sequences = [outputs, places](auto&& f) {
    for_each_row(1, outputs.batch(), outputs.steps() * outputs.features(),
                 [&](std::size_t, std::size_t n) {
                   f(n, outputs.length(n),
                     places.data<std::int64_t>() + n * static_cast<std::size_t>(places.size(1)));
                 });
  };
  dispatch("readout", output.dtype(), [&]<class T>(T*) {
    const auto y = sequence_of<const T>(outputs.y);
    T* const to = result.data<T>();
    for_sequences([&](std::size_t n, std::size_t length, std::int64_t* at) {
      read_row<T>(parts, y, n, length, features, to + n * parts.width, at);
    });
  });
  return autograd::with_backward(
      result,
      [parts, features, for_sequences, shape = output.shape(), result_shape = result.shape(),
       batch_first = layout.batch_first](const Gradient& g, std::span<Gradient> inputs) {
        const Tensor dense = g.dense(result_shape);
        inputs[0].value = Tensor::zeros(shape, dense.dtype());
        const Tensor view = steps_first(inputs[0].value, batch_first);
        dispatch("readout", dense.dtype(), [&]<class T>(T*) {
          const auto dy = sequence_of<T>(view);
          const T* const d = dense.data<T>();
          for_sequences([&](std::size_t n, std::size_t length, const std::int64_t* at) {
            spread_row<T>(parts, dy, n, length, features, d + n * parts.width, at);
          });
        });
      },
      output);
}

}  // namespace unroll::nn
