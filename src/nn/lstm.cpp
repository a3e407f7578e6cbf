#include "unroll/nn/lstm.h"

#include <fmt/format.h>

#include <cmath>

#include "core/float_environment.h"
#include "kernels/cell.h"
#include "nn/common_options.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::nn {

Lstm::Lstm(std::int64_t input_size, std::int64_t hidden_size, const Options& options)
    : Recurrent(kernels::Cell::lstm, {input_size, hidden_size, options.proj_size},
                common_options(options)) {
  raise_forget_bias(options.forget_bias);
}

Lstm::Lstm(const Child& place, std::int64_t input_size, std::int64_t hidden_size,
           const Options& options)
    : Recurrent(place, kernels::Cell::lstm, {input_size, hidden_size, options.proj_size},
                common_options(options)) {
  raise_forget_bias(options.forget_bias);
}

void Lstm::raise_forget_bias(double by) const {
  if (!std::isfinite(by))
    throw ValueError("lstm", fmt::format("forget_bias is {}, expected a finite number", by));
  if (by == 0) return;
  const FloatEnvironment environment;
  for (const Layer& layer : layers()) {
    if (!layer.bias_ih.defined())
      throw ValueError("lstm", "forget_bias is given, but the layer has no biases");
    dispatch("lstm", layer.bias_ih.dtype(), [&]<class T>(T*) {
      const auto bias = layer.bias_ih.values<T>();
      const std::size_t hidden = bias.size() / 4;
      // In f32, as all initial values.
      for (T& b : bias.subspan(hidden, hidden))
        b = static_cast<T>(static_cast<float>(b) + static_cast<float>(by));
    });
  }
}

LstmResult Lstm::operator()(const Tensor& input, const State& initial,
                            const RecurrentCall& call) const {
  auto [output, h_n, c_n] = run(input, initial.h, initial.c, call);
  return {output, h_n, c_n};
}

}  // namespace unroll::nn
