#include "unroll/nn/linear.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/elementwise.h"
#include "autograd/node.h"
#include "core/float_environment.h"
#include "core/shards.h"
#include "kernels/parallel_gemm.h"
#include "kernels/sharded_gemm.h"
#include "unroll/core/error.h"
#include "unroll/nn/init.h"

namespace unroll::nn {
namespace {

using autograd::Gradient;

void check_linear(const Tensor& input, const Tensor& weight, const Tensor& bias) {
  if (weight.rank() != 2)
    throw ShapeError("linear", fmt::format("weight has shape {}, expected [out_features, "
                                           "in_features]",
                                           weight.shape().str()));
  if (input.rank() < 1)
    throw ShapeError("linear", "input is a single number, expected [..., in_features]");
  if (input.size(-1) != weight.size(1))
    throw ShapeError("linear", fmt::format("input has {} features, weight expects {}",
                                           input.size(-1), weight.size(1)));
  if (bias.defined() && bias.shape() != Shape{weight.size(0)})
    throw ShapeError("linear", fmt::format("bias has shape {}, expected [{}]", bias.shape().str(),
                                           weight.size(0)));
  if (input.dtype() != weight.dtype() || (bias.defined() && bias.dtype() != weight.dtype()))
    throw ShapeError("linear", fmt::format("input is {}, weight is {}; expected one type",
                                           name_of(input.dtype()), name_of(weight.dtype())));
}

/// Sizes of one call: x is (rows, inputs), y is (rows, outputs).
struct Sizes {
  std::size_t rows, inputs, outputs;
};

struct LinearNode : autograd::Node {
  Tensor x, weight;  // without history
  Sizes sizes{};
  Shards shards;
  Shape input_shape, output_shape;

  void backward(std::span<const Gradient> outputs, std::span<Gradient> gradients) override {
    const Tensor dy = outputs[0].dense(output_shape);
    const std::size_t rows = sizes.rows, in = sizes.inputs, out = sizes.outputs;
    const auto make = [&](std::size_t index, const Shape& shape) {
      return gradients[index].value = Tensor::empty(shape, dy.dtype());
    };
    dispatch("linear", dy.dtype(), [&]<class T>(T*) {
      const T* d = dy.data<T>();
      if (needs(0))
        kernels::parallel_gemm(kernels::dense_product<T>(rows, out, in, d, raw_data<T>(weight),
                                                         make(0, input_shape).data<T>()));
      if (needs(1))
        kernels::sharded_gemm(kernels::transposed_product<T>(out, rows, in, d, x.data<T>(),
                                                             make(1, weight.shape()).data<T>()),
                              shards);
      if (needs(2))
        kernels::sharded_gemm(
            kernels::column_sums<T>(rows, out, d, make(2, {dy.size(-1)}).data<T>()), shards);
    });
  }
};

}  // namespace

Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias) {
  check_linear(input, weight, bias);
  const FloatEnvironment environment;
  const Tensor x = input.detach().contiguous();
  const Tensor w = weight.detach().contiguous();
  const Sizes sizes{static_cast<std::size_t>(x.shape().without(x.rank() - 1).numel()),
                    static_cast<std::size_t>(w.size(1)), static_cast<std::size_t>(w.size(0))};
  Shape output_shape = input.shape();
  output_shape[input.rank() - 1] = w.size(0);
  Tensor y = Tensor::empty(output_shape, x.dtype());
  const Tensor transposed = w.transpose(0, 1).contiguous();  // (I, O)
  const Tensor start = bias.defined() ? bias.detach().contiguous() : Tensor();
  dispatch("linear", x.dtype(), [&]<class T>(T*) {
    auto g = kernels::dense_product<T>(sizes.rows, sizes.inputs, sizes.outputs, x.data<T>(),
                                       raw_data<T>(transposed), y.data<T>());
    if (start.defined()) g.init = raw_data<T>(start);
    kernels::parallel_gemm(g);
  });
  if (autograd::recording(input, weight, bias)) {
    auto node = make_pooled<LinearNode>();
    node->x = x;
    node->weight = w;
    node->sizes = sizes;
    node->shards = autograd::shards_of_elements(x.shape().without(x.rank() - 1));
    node->input_shape = input.shape();
    node->output_shape = output_shape;
    autograd::record(node, y, input, weight, bias);
  }
  return y;
}

Linear::Linear(std::int64_t in_features, std::int64_t out_features, const Options& options) {
  initialise(in_features, out_features, options);
}

Linear::Linear(const Child& place, std::int64_t in_features, std::int64_t out_features,
               const Options& options)
    : Module(place) {
  initialise(in_features, out_features, options);
}

void Linear::initialise(std::int64_t in_features, std::int64_t out_features,
                        const Options& options) {
  if (in_features < 1 || out_features < 1)
    throw ValueError("linear", fmt::format("{} features in and {} out; expected at least 1 each",
                                           in_features, out_features));
  const FloatEnvironment environment;
  Generator& generator = options.generator ? *options.generator : default_generator();
  weight = Tensor::empty({out_features, in_features}, options.dtype);
  init::kaiming_uniform(weight, std::sqrt(5.0), generator);
  weight = add_parameter("weight", weight);
  if (options.bias) {
    bias = Tensor::empty({out_features}, options.dtype);
    const double bound = 1 / std::sqrt(static_cast<double>(in_features));
    init::uniform(bias, -bound, bound, generator);
    bias = add_parameter("bias", bias);
  }
}

}  // namespace unroll::nn
